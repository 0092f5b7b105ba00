// One answer in the words of each protocol, whole and as a stream.
// Answer: {parts, stop}; a part is {text}, {thought, proof?} or {call: {id, name, args}, signature?} with `args` as JSON text;
// stop is 'end', 'tools', 'length', 'refusal' or {sequence}. Every answer costs the same: see USAGE.

/** Prompt tokens, how many of them were cached, answer tokens, how many of them were thoughts. */
export const USAGE = { input: 1241, cached: 1200, output: 58, reasoning: 20 };
const TOTAL = USAGE.input + USAGE.output;

const sse = (data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const line = (data) => `data: ${JSON.stringify(data)}\n\n`;
export const pieces = (text) => text.match(/\S+\s*|\s+/g) ?? [];
export const halves = (text) => [text.slice(0, text.length >> 1), text.slice(text.length >> 1)];

const anthropic = {
  usage: (output) => ({
    input_tokens: USAGE.input - USAGE.cached, cache_creation_input_tokens: 0, cache_read_input_tokens: USAGE.cached,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 }, output_tokens: output,
    output_tokens_details: output > 1 ? { thinking_tokens: USAGE.reasoning } : null, server_tool_use: null, service_tier: 'standard', inference_geo: null, speed: null,
  }),
  stop: (stop) => (stop.sequence ? 'stop_sequence' : { end: 'end_turn', tools: 'tool_use', length: 'max_tokens', refusal: 'refusal' }[stop]),
  block(part) {
    if (part.call) return { type: 'tool_use', id: part.call.id, name: part.call.name, input: JSON.parse(part.call.args), caller: { type: 'direct' } };
    if (part.thought !== undefined) return { type: 'thinking', thinking: part.thought, signature: part.proof };
    return { type: 'text', text: part.text, citations: null };
  },
  message: (model, id, content, stop, usage) => ({
    id: `msg_${id}`, type: 'message', role: 'assistant', model, content, container: null, diagnostics: null,
    stop_reason: stop && anthropic.stop(stop), stop_sequence: stop?.sequence ?? null, stop_details: null, usage,
  }),
  whole: (answer, { model, id }) => anthropic.message(model, id, answer.parts.map(anthropic.block), answer.stop, anthropic.usage(USAGE.output)),
  events(answer, { model, id }) {
    const events = [{ type: 'message_start', message: anthropic.message(model, id, [], null, anthropic.usage(1)) }, { type: 'ping' }];
    for (const [index, part] of answer.parts.entries()) {
      const delta = (value) => events.push({ type: 'content_block_delta', index, delta: value });
      const start = (content_block) => events.push({ type: 'content_block_start', index, content_block });
      if (part.call) {
        start({ ...anthropic.block(part), input: {} });
        for (const partial_json of ['', ...halves(part.call.args)]) delta({ type: 'input_json_delta', partial_json });
      } else if (part.thought !== undefined) {
        start({ type: 'thinking', thinking: '', signature: '' });
        for (const thinking of pieces(part.thought)) delta({ type: 'thinking_delta', thinking });
        delta({ type: 'signature_delta', signature: part.proof });
      } else {
        start({ type: 'text', text: '', citations: null });
        for (const text of pieces(part.text)) delta({ type: 'text_delta', text });
      }
      events.push({ type: 'content_block_stop', index });
    }
    const { cache_creation: _, ...usage } = anthropic.usage(USAGE.output);
    events.push({ type: 'message_delta', delta: { stop_reason: anthropic.stop(answer.stop), stop_sequence: answer.stop.sequence ?? null, stop_details: null, container: null }, usage });
    events.push({ type: 'message_stop' });
    return events.map(sse);
  },
  error: (status, message) => ({ type: 'error', request_id: 'req_fake', error: { type: status === 400 ? 'invalid_request_error' : 'api_error', message } }),
};

const created = 1795000000;
const openai = {
  usage: {
    prompt_tokens: USAGE.input, completion_tokens: USAGE.output, total_tokens: TOTAL,
    prompt_tokens_details: { cached_tokens: USAGE.cached, cache_write_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: USAGE.reasoning, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
  },
  stop: (stop) => ({ end: 'stop', tools: 'tool_calls', length: 'length', refusal: 'content_filter' }[stop] ?? 'stop'),
  call: ({ call, signature }, args) => ({
    id: call.id, type: 'function', function: { name: call.name, arguments: args }, ...(signature ? { extra_content: { google: { thought_signature: signature } } } : {}),
  }),
  whole(answer, { model, id }) {
    const text = answer.parts.map((part) => part.text ?? '').join('');
    const thought = answer.parts.map((part) => part.thought ?? '').join('');
    const calls = answer.parts.filter((part) => part.call).map((part) => openai.call(part, part.call.args));
    const message = {
      role: 'assistant', content: text || (calls.length ? null : ''), refusal: null, annotations: [],
      ...(thought ? { reasoning_content: thought } : {}), ...(calls.length ? { tool_calls: calls } : {}),
    };
    return {
      id: `chatcmpl-${id}`, object: 'chat.completion', created, model, usage: openai.usage, service_tier: 'default', system_fingerprint: 'fp_fake',
      choices: [{ index: 0, message, logprobs: null, finish_reason: openai.stop(answer.stop) }],
    };
  },
  /** Calls are announced one after the other; then their arguments come interleaved. */
  events(answer, { model, id, usage }) {
    const head = { id: `chatcmpl-${id}`, object: 'chat.completion.chunk', created, model, service_tier: 'default', system_fingerprint: 'fp_fake' };
    const chunk = (delta, finish_reason = null) => line({ ...head, choices: [{ index: 0, delta, logprobs: null, finish_reason }], ...(usage ? { usage: null } : {}) });
    const events = [chunk({ role: 'assistant', content: '', refusal: null })];
    const calls = answer.parts.filter((part) => part.call);
    for (const part of answer.parts) {
      for (const reasoning_content of pieces(part.thought ?? '')) events.push(chunk({ reasoning_content }));
      for (const content of pieces(part.text ?? '')) events.push(chunk({ content }));
    }
    for (const [index, part] of calls.entries()) events.push(chunk({ tool_calls: [{ index, ...openai.call(part, '') }] }));
    for (const half of [0, 1]) {
      for (const [index, part] of calls.entries()) events.push(chunk({ tool_calls: [{ index, function: { arguments: halves(part.call.args)[half] } }] }));
    }
    events.push(chunk({}, openai.stop(answer.stop)));
    if (usage) events.push(line({ ...head, choices: [], usage: openai.usage }));
    return [...events, 'data: [DONE]\n\n'];
  },
  error: (status, message) => ({ error: { message, type: status === 400 ? 'invalid_request_error' : 'server_error', param: null, code: null } }),
};

const responses = {
  usage: {
    input_tokens: USAGE.input, input_tokens_details: { cached_tokens: USAGE.cached, cache_write_tokens: 0 },
    output_tokens: USAGE.output, output_tokens_details: { reasoning_tokens: USAGE.reasoning }, total_tokens: TOTAL,
  },
  item(part, index, id) {
    if (part.call) return { id: `fc_${id}_${index}`, type: 'function_call', status: 'completed', arguments: part.call.args, call_id: part.call.id, name: part.call.name };
    if (part.thought !== undefined) return { id: `rs_${id}_${index}`, type: 'reasoning', summary: [{ type: 'summary_text', text: part.thought }], encrypted_content: part.proof, status: 'completed' };
    return { id: `msg_${id}_${index}`, type: 'message', status: 'completed', role: 'assistant', content: [{ type: 'output_text', text: part.text, annotations: [], logprobs: [] }] };
  },
  items: (answer, id) => answer.parts.map((part, index) => responses.item(part, index, id)),
  response(status, output, { model, id, request }, usage, stop) {
    const reason = { length: 'max_output_tokens', refusal: 'content_filter' }[stop];
    return {
      id: `resp_${id}`, object: 'response', created_at: created, status, background: false, completed_at: status === 'completed' ? created + 4 : null,
      error: null, incomplete_details: reason ? { reason } : null, instructions: request.instructions ?? null, max_output_tokens: request.max_output_tokens ?? null,
      max_tool_calls: null, metadata: {}, model, output, parallel_tool_calls: true, previous_response_id: request.previous_response_id ?? null, prompt_cache_key: null,
      reasoning: { effort: null, summary: null, ...request.reasoning }, safety_identifier: null, service_tier: 'default', store: request.store ?? true, temperature: 1,
      text: { format: { type: 'text' }, verbosity: 'medium', ...request.text }, tool_choice: 'auto', tools: request.tools ?? [], top_logprobs: 0, top_p: 1,
      truncation: 'disabled', usage, user: null,
    };
  },
  status: (stop) => (stop === 'length' || stop === 'refusal' ? 'incomplete' : 'completed'),
  whole: (answer, at) => responses.response(responses.status(answer.stop), responses.items(answer, at.id), at, responses.usage, answer.stop),
  events(answer, at) {
    const events = [];
    const event = (type, fields) => events.push({ type, ...fields, sequence_number: events.length });
    for (const name of ['created', 'in_progress']) event(`response.${name}`, { response: responses.response('in_progress', [], at, null) });
    for (const [output_index, item] of responses.items(answer, at.id).entries()) {
      const part = answer.parts[output_index];
      const where = { item_id: item.id, output_index };
      if (part.call) {
        event('response.output_item.added', { output_index, item: { ...item, arguments: '', status: 'in_progress' } });
        for (const delta of halves(part.call.args)) event('response.function_call_arguments.delta', { ...where, delta });
        event('response.function_call_arguments.done', { ...where, arguments: part.call.args });
      } else if (part.thought !== undefined) {
        event('response.output_item.added', { output_index, item: { ...item, summary: [], encrypted_content: item.encrypted_content.slice(0, 20), status: 'in_progress' } });
        event('response.reasoning_summary_part.added', { ...where, summary_index: 0, part: { type: 'summary_text', text: '' } });
        for (const delta of pieces(part.thought)) event('response.reasoning_summary_text.delta', { ...where, summary_index: 0, delta });
        event('response.reasoning_summary_text.done', { ...where, summary_index: 0, text: part.thought });
        event('response.reasoning_summary_part.done', { ...where, summary_index: 0, part: item.summary[0] });
      } else {
        event('response.output_item.added', { output_index, item: { ...item, content: [], status: 'in_progress' } });
        event('response.content_part.added', { ...where, content_index: 0, part: { ...item.content[0], text: '' } });
        for (const delta of pieces(part.text)) event('response.output_text.delta', { ...where, content_index: 0, delta, logprobs: [] });
        event('response.output_text.done', { ...where, content_index: 0, text: part.text, logprobs: [] });
        event('response.content_part.done', { ...where, content_index: 0, part: item.content[0] });
      }
      event('response.output_item.done', { output_index, item });
    }
    event(`response.${responses.status(answer.stop)}`, { response: responses.whole(answer, at) });
    return events.map(sse);
  },
  error: openai.error,
};

const gemini = {
  usage: { promptTokenCount: USAGE.input, cachedContentTokenCount: USAGE.cached, candidatesTokenCount: USAGE.output - USAGE.reasoning, thoughtsTokenCount: USAGE.reasoning, totalTokenCount: TOTAL },
  part({ call, thought, text, signature }) {
    const signed = signature ? { thoughtSignature: signature } : {};
    if (call) return { functionCall: { ...(call.id ? { id: call.id } : {}), name: call.name, args: JSON.parse(call.args) }, ...signed };
    return thought !== undefined ? { text: thought, thought: true } : { text, ...signed };
  },
  stop: (stop) => ({ length: 'MAX_TOKENS', refusal: 'SAFETY' }[stop] ?? 'STOP'),
  chunk: (parts, finishReason, { model, id }) => ({
    candidates: [{ content: { parts, role: 'model' }, ...(finishReason ? { finishReason } : {}), index: 0 }], usageMetadata: gemini.usage, modelVersion: model, responseId: id,
  }),
  whole: (answer, at) => gemini.chunk(answer.parts.map(gemini.part), gemini.stop(answer.stop), at),
  /** All calls in one chunk, as Google sends parallel ones. */
  events(answer, at) {
    const groups = [];
    for (const part of answer.parts) {
      if (part.call) continue;
      const name = part.thought !== undefined ? 'thought' : 'text';
      for (const [index, piece] of pieces(part[name]).entries()) groups.push([gemini.part({ [name]: piece, signature: index === 0 ? part.signature : undefined })]);
    }
    const calls = answer.parts.filter((part) => part.call).map(gemini.part);
    if (calls.length) groups.push(calls);
    return [...groups.map((parts) => gemini.chunk(parts, undefined, at)), gemini.chunk([{ text: '' }], gemini.stop(answer.stop), at)]
      .map((chunk) => line(chunk).replace(/\n\n$/, '\r\n\r\n'));
  },
  error: (status, message) => ({ error: { code: status, message, status: status === 400 ? 'INVALID_ARGUMENT' : 'UNAVAILABLE' } }),
};

export const ENCODE = { anthropic, openai, responses, gemini };
