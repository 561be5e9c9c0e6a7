// How the page speaks with the API: typed by the API document, every refusal a `Problem` that says what to do.
//
// Promises: nothing leaves the page's own host; a gateway that does not answer and a problem that it answers are told apart, so that the
// page can wait for the one and explain the other.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

/** A mistake in what was sent, with the JSON pointer to its place. */
export type FieldError = components["schemas"]["FieldError"];

/** What the API answered instead of what was asked for. `status` is 0 where nothing was answered at all. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: FieldError[];
  readonly requestId: string | undefined;
  /** The page that explains it. */
  readonly page: string | undefined;
  /** In how many seconds it may be asked again, where the server says it. */
  readonly retryAfter: number | undefined;

  constructor(body: Partial<components["schemas"]["Problem"]>, status: number, retryAfter?: number) {
    super(body.detail || body.title || "Something went wrong.");
    this.status = status;
    this.code = body.code ?? (status === 0 ? "unreachable" : "unknown");
    this.errors = body.errors ?? [];
    this.requestId = body.request_id ?? undefined;
    this.retryAfter = retryAfter;
    this.page = body.type?.startsWith("/docs/errors/") ? body.type : undefined;
  }

  /** Whether asking again may help. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** The first mistake at a pointer or below it. */
  at(pointer: string): string | undefined {
    return this.errors.find((error) => error.pointer === pointer || error.pointer.startsWith(`${pointer}/`))?.detail;
  }
}

/** The API. */
export const api = createClient<paths>({
  baseUrl: "",
  fetch: async (request) => {
    try {
      return await fetch(request);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new Problem({ detail: "The server does not answer. Is it running, and are you connected?" }, 0);
    }
  },
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/**
 * What was asked for.
 *
 * @throws {Problem} when it was refused, or nothing answers.
 */
export async function ask<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  const body = typeof error === "object" && error !== null ? error : {};
  const seconds = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  throw new Problem(body, response.status, seconds > 0 ? seconds : undefined);
}

/** As {@link ask}, with the answer's head: for its ETag. */
export async function askWithHead<T>(
  answer: Promise<Answer<T>>,
): Promise<{ data: T; etag: string | undefined; status: number }> {
  const got = await answer;
  const data = await ask(Promise.resolve(got));
  return { data, etag: got.response.headers.get("etag") ?? undefined, status: got.response.status };
}
