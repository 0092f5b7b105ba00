// What the scripted model reads in a request of each protocol.

const textOf = (content) => {
  if (content == null) return '';
  if (typeof content === 'string') return content;
  return content.map((part) => part.text ?? part.tool_name ?? '').join('');
};
/** The name of a namespace's tool where there are no namespaces. */
export const flat = (namespace, name) => (namespace ? `${namespace}__${name}` : name);
const all = (value) => (Array.isArray(value) ? value : []);

export const READ = {
  anthropic: {
    tools: (body) => all(body.tools).map((tool) => tool.name),
    results: (body) => all(body.messages).flatMap((message) => all(message.content))
      .filter((block) => block?.type === 'tool_result').map((block) => ({ id: block.tool_use_id, text: textOf(block.content) })),
    calls: (body) => all(body.messages).flatMap((message) => all(message.content)).filter((block) => block?.type === 'tool_use')
      .map((block) => ({ id: block.id, name: block.name, args: block.input })),
    schema: (body) => body.output_config?.format?.schema ?? body.output_format?.schema ?? null,
  },
  openai: {
    tools: (body) => all(body.tools).map((tool) => tool.function?.name ?? tool.custom?.name),
    results: (body) => all(body.messages).filter((message) => message.role === 'tool')
      .map((message) => ({ id: message.tool_call_id, text: textOf(message.content) })),
    calls: (body) => all(body.messages).flatMap((message) => all(message.tool_calls))
      .map((call) => ({ id: call.id, name: call.function?.name, args: call.function && JSON.parse(call.function.arguments) })),
    schema: (body) => body.response_format?.json_schema?.schema ?? (body.response_format?.type === 'json_object' ? {} : null),
  },
  responses: {
    tools: (body) => [body, ...all(body.input).filter((item) => item.type === 'additional_tools')].flatMap(({ tools }) => all(tools))
      .flatMap((tool) => tool.type === 'namespace' ? all(tool.tools).map((inner) => flat(tool.name, inner.name)) : [tool.name ?? tool.type]),
    results: (body) => all(body.input).filter((item) => /_call_output$/.test(item.type)).map((item) => ({ id: item.call_id, text: textOf(item.output) })),
    calls: (body) => all(body.input).filter((item) => item.type === 'function_call' || item.type === 'custom_tool_call')
      .map((item) => ({ id: item.call_id, name: item.name, args: item.type === 'function_call' ? JSON.parse(item.arguments) : { input: item.input } })),
    schema: (body) => body.text?.format?.schema ?? (body.text?.format?.type === 'json_object' ? {} : null),
  },
  gemini: {
    tools: (body) => all(body.tools).flatMap((tool) => all(tool.functionDeclarations)).map((tool) => tool.name),
    results: (body) => all(body.contents).flatMap((content) => all(content.parts)).filter((part) => part.functionResponse)
      .map(({ functionResponse: { id, response } }) => ({ id, text: response.output ?? response.content ?? JSON.stringify(response) })),
    calls: (body) => all(body.contents).flatMap((content) => all(content.parts)).filter((part) => part.functionCall)
      .map(({ functionCall: { id, name, args } }) => ({ id, name, args: args ?? {} })),
    schema: ({ generationConfig: config }) => config?.responseJsonSchema ?? config?.responseSchema ?? (config?.responseMimeType === 'application/json' ? {} : null),
  },
};

/** The images of a request as `{type, data}`, wherever they stand. */
export function imagesIn(value) {
  if (Array.isArray(value)) return value.flatMap(imagesIn);
  if (value === null || typeof value !== 'object') return [];
  if (value.type === 'image' && value.source?.type === 'base64') return [{ type: value.source.media_type, data: value.source.data }];
  if (value.inlineData) return [{ type: value.inlineData.mimeType, data: value.inlineData.data }];
  const url = value.type === 'input_image' ? value.image_url : value.type === 'image_url' ? value.image_url?.url : undefined;
  const [, type, data] = /^data:([^;,]+);base64,(.*)$/s.exec(url ?? '') ?? [];
  return data ? [{ type, data }] : Object.values(value).flatMap(imagesIn);
}

/** A value that a JSON schema accepts, plain keywords only. */
export function valueFor(schema, depth = 0) {
  if (depth > 8 || schema === null || typeof schema !== 'object') return null;
  if (schema.enum) return schema.enum[0];
  if (schema.const !== undefined) return schema.const;
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (choice) return valueFor(choice, depth + 1);
  const type = String(Array.isArray(schema.type) ? schema.type[0] : schema.type ?? 'object').toLowerCase();
  if (type === 'object') return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, valueFor(inner, depth + 1)]));
  if (type === 'array') return [];
  return { string: 'short', boolean: false, number: schema.minimum ?? 1, integer: schema.minimum ?? 1 }[type] ?? null;
}
