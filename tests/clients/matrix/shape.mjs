// Small words to say what a JSON body may hold. A check throws Illegal with the path of what is wrong.

export class Illegal extends Error {}
export const illegal = (path, why) => { throw new Illegal(`${path}: ${why}`); };

const show = (value) => JSON.stringify(value)?.slice(0, 80);
export const any = () => {};
export const string = (value, path) => typeof value === 'string' || illegal(path, `no string: ${show(value)}`);
export const filled = (value, path) => (typeof value === 'string' && value.trim() !== '') || illegal(path, `no text in it: ${show(value)}`);
export const bool = (value, path) => typeof value === 'boolean' || illegal(path, `no boolean: ${show(value)}`);
export const number = (low, high) => (value, path) =>
  (typeof value === 'number' && value >= low && value <= high) || illegal(path, `no number from ${low} to ${high}: ${show(value)}`);
export const whole = (low, high = Number.MAX_SAFE_INTEGER) => (value, path) =>
  (Number.isInteger(value) && value >= low && value <= high) || illegal(path, `no whole number from ${low} to ${high}: ${show(value)}`);
export const word = (...words) => (value, path) => words.includes(value) || illegal(path, `${show(value)} is none of ${words.join(', ')}`);
export const like = (pattern) => (value, path) => (typeof value === 'string' && pattern.test(value)) || illegal(path, `${show(value)} does not fit ${pattern}`);
export const nullable = (check) => (value, path) => value === null || check(value, path);

export const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
export const anyObject = (value, path) => isObject(value) || illegal(path, `no object: ${show(value)}`);

export const list = (check, least = 0, most = Infinity) => (value, path) => {
  if (!Array.isArray(value)) illegal(path, `no array: ${show(value)}`);
  if (value.length < least || value.length > most) illegal(path, `${value.length} entries`);
  value.forEach((entry, index) => check(entry, `${path}[${index}]`));
};

/** An object with all of `required`, some of `optional` and nothing else. */
export const object = (required, optional = {}) => (value, path) => {
  anyObject(value, path);
  for (const name of Object.keys(required)) if (!Object.hasOwn(value, name)) illegal(`${path}.${name}`, 'missing');
  for (const [name, inner] of Object.entries(value)) {
    const check = Object.hasOwn(required, name) ? required[name] : Object.hasOwn(optional, name) ? optional[name] : illegal(`${path}.${name}`, 'a field this protocol does not have');
    check(inner, `${path}.${name}`);
  }
};

/** An object whose member `tag` says which of `kinds` it is; `kinds` need not name the tag itself. */
export const tagged = (tag, kinds) => (value, path) => {
  anyObject(value, path);
  if (!Object.hasOwn(kinds, value[tag] ?? '')) illegal(`${path}.${tag}`, `${show(value[tag])} is none of ${Object.keys(kinds).join(', ')}`);
  const { [tag]: _, ...rest } = value;
  kinds[value[tag] ?? ''](rest, path);
};

/** By JSON kind: a text, or else what `other` says. */
export const textOr = (text, other) => (value, path) => (typeof value === 'string' ? text(value, path) : other(value, path));

export const base64 = (value, path) => {
  string(value, path);
  if (value === '' || Buffer.from(value, 'base64').toString('base64') !== value) illegal(path, 'no standard base64');
};
export const dataUrl = (...types) => (value, path) => {
  const found = /^data:([\w/+.-]+);base64,(.*)$/s.exec(value) ?? illegal(path, `no data URL: ${show(value)}`);
  word(...types)(found[1], path);
  base64(found[2], path);
};
export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
export const imageUrl = (value, path) => (String(value).startsWith('https://') ? true : dataUrl(...IMAGE_TYPES)(value, path));

const MANY = ['properties', '$defs', 'definitions', 'patternProperties'];
const ONE = ['items', 'additionalProperties', 'not', 'contains', 'if', 'then', 'else'];
const SOME = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];

/** Calls `visit(node, path)` for each schema inside a JSON Schema; names of properties are data. */
export function walkSchema(schema, path, visit) {
  anyObject(schema, path);
  visit(schema, path);
  for (const [name, inner] of Object.entries(schema)) {
    const at = `${path}.${name}`;
    if (MANY.includes(name)) for (const [key, node] of Object.entries(inner)) walkSchema(node, `${at}.${key}`, visit);
    else if (SOME.includes(name)) inner.forEach((node, index) => walkSchema(node, `${at}[${index}]`, visit));
    else if (ONE.includes(name) && isObject(inner)) walkSchema(inner, at, visit);
  }
}

/** Only these keywords anywhere. */
export const onlyKeywords = (allowed) => (schema, path) => walkSchema(schema, path, (node, at) => {
  for (const name of Object.keys(node)) if (!allowed.includes(name)) illegal(`${at}.${name}`, 'a keyword this protocol does not take');
});

/** What structured decoding asks of every object. */
export const strictSchema = (schema, path) => walkSchema(schema, path, (node, at) => {
  if (node.type !== 'object' && !node.properties) return;
  if (node.additionalProperties !== false) illegal(`${at}.additionalProperties`, 'must be false');
  for (const name of Object.keys(node.properties ?? {})) if (!node.required?.includes(name)) illegal(`${at}.required`, `lacks ${name}`);
});

export const rootObject = (schema, path) => {
  anyObject(schema, path);
  if (schema.type !== 'object') illegal(`${path}.type`, 'the root must be an object');
  for (const name of ['anyOf', 'oneOf', 'allOf']) if (name in schema) illegal(`${path}.${name}`, 'not at the root');
};
