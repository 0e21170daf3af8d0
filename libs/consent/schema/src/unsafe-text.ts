/**
 * The path of the first text that no database or file should be given: NUL, a lone surrogate, or a key that could reach
 * an object's prototype. Undefined when there is none. Only escapes can bring these into parsed JSON.
 */
export function unsafeText(value: unknown, path = ''): string | undefined {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? path : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    if (key === '__proto__' || unsafeText(key, at) !== undefined) return path === '' ? 'a key' : `a key of ${path}`;
    const found = unsafeText(inner, at);
    if (found !== undefined) return found;
  }
  return undefined;
}
