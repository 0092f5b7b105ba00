// What a request says, whatever its protocol; for requests that passed the check of their protocol.
// {system, texts, spoken, images, tools, calls, results, order, proofs, schema, max, stops, thinks, visible, effort}
// `forced` names the one tool that must be called, `single` says that one call at a time is wanted.
// `order` lists what the assistant's turns hold, runs of text as one: 'proof', 'text', 'call'.

const joined = (content) => (typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('\n'));
const fromDataUrl = (url) => {
  const found = /^data:([^;]+);base64,(.*)$/s.exec(url);
  return found ? { mime: found[1], data: found[2] } : { url };
};
const empty = () => ({ system: '', spoken: '', texts: [], images: [], tools: [], calls: [], results: [], order: [], proofs: [], stops: [] });
const speak = (seen, text) => { seen.order.push('text'); seen.spoken += text; };
const asList = (content) => (typeof content === 'string' ? [{ type: 'text', text: content }] : content ?? []);

function anthropic(body) {
  const seen = empty();
  seen.system = joined(body.system);
  seen.tools = (body.tools ?? []).map((tool) => ({ name: tool.name, schema: tool.input_schema, description: tool.description }));
  for (const turn of body.messages) {
    for (const block of asList(turn.content)) {
      if (block.type === 'text') turn.role === 'assistant' ? speak(seen, block.text) : turn.role === 'system' ? (seen.system += block.text) : seen.texts.push(block.text);
      if (block.type === 'image') seen.images.push(block.source.type === 'base64' ? { mime: block.source.media_type, data: block.source.data } : { url: block.source.url });
      if (block.type === 'thinking') { seen.order.push('proof'); seen.proofs.push(block.signature); }
      if (block.type === 'tool_use') { seen.order.push('call'); seen.calls.push({ id: block.id, name: block.name, args: block.input }); }
      if (block.type === 'document') seen.images.push({ mime: block.source.media_type, data: block.source.data });
      if (block.type === 'tool_result') {
        seen.results.push({ id: block.tool_use_id, text: joined(asList(block.content).filter((part) => part.type === 'text')) });
        for (const part of asList(block.content)) if (part.type === 'image') seen.images.push({ mime: part.source.media_type, data: part.source.data });
      }
    }
  }
  return Object.assign(seen, {
    schema: body.output_config?.format?.schema, max: body.max_tokens, stops: body.stop_sequences ?? [], effort: body.output_config?.effort,
    single: body.tool_choice?.disable_parallel_tool_use,
    thinks: body.thinking?.type === 'adaptive', visible: body.thinking?.type === 'adaptive' && body.thinking.display !== 'omitted',
  });
}

function openai(body) {
  const seen = empty();
  seen.tools = (body.tools ?? []).map(({ function: tool }) => ({ name: tool.name, schema: tool.parameters, description: tool.description }));
  for (const turn of body.messages) {
    if (turn.role === 'system' || turn.role === 'developer') seen.system += joined(turn.content);
    if (turn.role === 'tool') seen.results.push({ id: turn.tool_call_id, text: joined(turn.content) });
    if (turn.role === 'user') {
      for (const part of asList(turn.content)) {
        if (part.type === 'text') seen.texts.push(part.text);
        if (part.type === 'file') seen.images.push(fromDataUrl(part.file.file_data));
        if (part.type === 'image_url') seen.images.push(fromDataUrl(part.image_url.url));
      }
    }
    if (turn.role !== 'assistant') continue;
    if (turn.reasoning_content) seen.proofs.push(turn.reasoning_content);
    if (turn.content) speak(seen, joined(turn.content));
    for (const call of turn.tool_calls ?? []) {
      const signature = call.extra_content?.google.thought_signature;
      if (signature) { seen.order.push('proof'); seen.proofs.push(signature); }
      seen.order.push('call');
      seen.calls.push({ id: call.id, name: call.function.name, args: JSON.parse(call.function.arguments) });
    }
  }
  return Object.assign(seen, {
    schema: body.response_format?.json_schema?.schema, max: body.max_completion_tokens, stops: typeof body.stop === 'string' ? [body.stop] : body.stop ?? [],
    forced: body.tool_choice?.function?.name, single: body.parallel_tool_calls === false,
    effort: body.reasoning_effort, thinks: true, visible: true,
  });
}

const media = (seen, part) => ['input_image', 'input_file'].includes(part.type) && seen.images.push(fromDataUrl(part.image_url ?? part.file_data));

function responses(body) {
  const seen = empty();
  seen.system = body.instructions ?? '';
  seen.tools = (body.tools ?? []).map((tool) => ({ name: tool.name, schema: tool.parameters, description: tool.description }));
  const items = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : body.input;
  for (const item of items) {
    if (item.role === 'system' || item.role === 'developer') seen.system += joined(item.content);
    if (item.role === 'user') {
      for (const part of asList(item.content)) media(seen, part) || seen.texts.push(part.text);
    }
    if (item.role === 'assistant') speak(seen, typeof item.content === 'string' ? item.content : item.content.map((part) => part.text).join(''));
    if (item.type === 'reasoning') { seen.order.push('proof'); seen.proofs.push(item.encrypted_content); }
    if (item.type === 'item_reference') {
      seen.order.push({ rs: 'proof', msg: 'text', fc: 'call' }[item.id.split('_')[0]]);
      if (item.id.startsWith('rs_')) seen.proofs.push(item.id);
    }
    if (item.type === 'function_call') { seen.order.push('call'); seen.calls.push({ id: item.call_id, name: item.name, args: JSON.parse(item.arguments) }); }
    if (item.type === 'function_call_output') {
      seen.results.push({ id: item.call_id, text: joined(asList(item.output).filter((part) => !media(seen, part))) });
    }
  }
  return Object.assign(seen, {
    schema: body.text?.format?.schema, forced: body.tool_choice?.name, single: body.parallel_tool_calls === false, max: body.max_output_tokens, effort: body.reasoning?.effort, thinks: true, visible: Boolean(body.reasoning?.summary),
  });
}

function gemini(body) {
  const seen = empty();
  seen.system = (body.systemInstruction?.parts ?? []).map((part) => part.text).join('\n');
  const declared = (body.tools ?? []).flatMap((tool) => tool.functionDeclarations);
  seen.tools = declared.map((tool) => ({ name: tool.name, schema: tool.parametersJsonSchema ?? tool.parameters, description: tool.description }));
  for (const { role, parts } of body.contents) {
    for (const part of parts) {
      if (part.text && !part.thought) role === 'user' ? seen.texts.push(part.text) : speak(seen, part.text);
      if (part.inlineData) seen.images.push({ mime: part.inlineData.mimeType, data: part.inlineData.data });
      if (part.fileData) seen.images.push({ url: part.fileData.fileUri });
      if (part.thoughtSignature) { seen.order.push('proof'); seen.proofs.push(part.thoughtSignature); }
      if (part.functionCall) { seen.order.push('call'); seen.calls.push({ id: part.functionCall.id, name: part.functionCall.name, args: part.functionCall.args ?? {} }); }
      if (part.functionResponse) {
        const { output = part.functionResponse.response.content, name: _, content: __, ...rest } = part.functionResponse.response;
        for (const { inlineData } of part.functionResponse.parts ?? []) seen.images.push({ mime: inlineData.mimeType, data: inlineData.data });
        seen.results.push({ id: part.functionResponse.id, text: typeof output === 'string' && !Object.keys(rest).length ? output : JSON.stringify(part.functionResponse.response) });
      }
    }
  }
  const calling = body.toolConfig?.functionCallingConfig;
  seen.forced = calling?.mode === 'ANY' && calling.allowedFunctionNames?.length === 1 ? calling.allowedFunctionNames[0] : undefined;
  const { responseJsonSchema, responseSchema, maxOutputTokens, stopSequences = [], thinkingConfig } = body.generationConfig ?? {};
  return Object.assign(seen, {
    schema: responseJsonSchema ?? responseSchema, max: maxOutputTokens, stops: stopSequences, effort: thinkingConfig?.thinkingLevel?.toLowerCase(),
    thinks: Boolean(thinkingConfig), visible: thinkingConfig?.includeThoughts === true,
  });
}

// The system prompt is a pair of messages of its own; what has no place but in words stands in it.
const PLACEHOLDERS = ['Continue', 'Tool results provided.', 'See the attached image.', '.'];
const BUDGETS = { 1024: 'low', 8192: 'medium', 24576: 'high' };

function kiro({ conversationState: { history = [], currentMessage }, additionalModelRequestFields: wish }) {
  const seen = empty();
  const turns = [...history, currentMessage];
  if (turns[1]?.assistantResponseMessage.content === 'Understood.') seen.system = turns.splice(0, 2)[0].userInputMessage.content;
  for (const { userInputMessage: asked, assistantResponseMessage: told } of turns) {
    if (asked) {
      if (!PLACEHOLDERS.includes(asked.content)) seen.texts.push(asked.content);
      for (const { format, source } of asked.images ?? []) seen.images.push({ mime: `image/${format}`, data: source.bytes });
      for (const { toolUseId, content } of asked.userInputMessageContext?.toolResults ?? []) seen.results.push({ id: toolUseId, text: joined(content) });
      continue;
    }
    if (told.reasoningContent) { seen.order.push('proof'); seen.proofs.push(told.reasoningContent.reasoningText.signature); }
    if (!PLACEHOLDERS.includes(told.content)) speak(seen, told.content);
    for (const { toolUseId, name, input } of told.toolUses ?? []) { seen.order.push('call'); seen.calls.push({ id: toolUseId, name, args: input }); }
  }
  seen.tools = (currentMessage.userInputMessage.userInputMessageContext?.tools ?? []).map(({ toolSpecification: { name, description, inputSchema } }) => ({ name, description, schema: inputSchema.json }));
  const tagged = /^<thinking_mode>enabled<\/thinking_mode><max_thinking_length>(\d+)<\/max_thinking_length>/.exec(seen.system);
  const schema = /^Answer with one JSON object only.* of this schema: (\{.*\})$/m.exec(seen.system);
  return Object.assign(seen, {
    schema: schema && JSON.parse(schema[1]), forced: /^Answer with a call of the tool (\S+)\.$/m.exec(seen.system)?.[1],
    thinks: Boolean(tagged) || wish?.thinking.type === 'adaptive', visible: Boolean(tagged) || wish?.thinking.display === 'summarized',
    effort: tagged ? BUDGETS[tagged[1]] : wish?.output_config?.effort,
  });
}

const reader = (read) => (body) => {
  const seen = read(body);
  seen.order = seen.order.filter((what, index) => what !== 'text' || seen.order[index - 1] !== 'text');
  return seen;
};
export const READ = { anthropic: reader(anthropic), openai: reader(openai), responses: reader(responses), gemini: reader(gemini), kiro: reader(kiro) };
