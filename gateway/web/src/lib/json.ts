// Values at places within JSON: a place is the names that lead to it.

export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value at a place, if there is one. */
export function look(from: Json, [name, ...below]: readonly string[]): unknown {
  const value = name === undefined ? undefined : from[name];
  return below.length === 0 ? value : isObject(value) ? look(value, below) : undefined;
}

/** Takes a value out of nested objects, and with it the objects that are empty then. */
export function takeOut(from: Json, [name, ...below]: readonly string[]): unknown {
  if (name === undefined) return undefined;
  const value = from[name];
  if (below.length === 0) {
    delete from[name];
    return value;
  }
  if (!isObject(value)) return undefined;
  const taken = takeOut(value, below);
  if (Object.keys(value).length === 0) delete from[name];
  return taken;
}

/** Puts a value at a place, with the objects that lead to it. */
export function putIn(into: Json, [name, ...below]: readonly string[], value: unknown): void {
  if (name === undefined) return;
  if (below.length === 0) into[name] = value;
  else {
    const inner = isObject(into[name]) ? into[name] : {};
    into[name] = inner;
    putIn(inner, below, value);
  }
}
