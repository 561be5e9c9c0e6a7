// What the server needs a while to answer, plans and probes: asked once, then waited for.
import { Problem } from "../../api/client";

/** How often it is looked at, each time for as long as the server lets us wait: a quarter of an hour in all. */
const LOOKS = 45;
/** Less than this between two looks is no wait at all, in milliseconds. */
const SHORTEST = 1000;
/** How long one look waits, in seconds. */
export const WAIT = 20;

/**
 * Asks, then looks until there is an answer.
 *
 * @throws {Problem} why there is none.
 */
export async function answered<A extends { id: string }, T>(
  ask: () => Promise<A>,
  look: (id: string) => Promise<A>,
  take: (answer: A) => T | null | undefined,
  signal: AbortSignal,
): Promise<T> {
  let answer = await ask();
  for (let turn = 0; turn < LOOKS; turn += 1) {
    const taken = take(answer);
    if (taken !== null && taken !== undefined) return taken;
    await new Promise((done) => setTimeout(done, SHORTEST));
    signal.throwIfAborted();
    answer = await look(answer.id);
  }
  const detail = "Nobody has answered for a quarter of an hour: is an executor running? Try again.";
  throw new Problem({ detail, code: "timeout" }, 503);
}
