import { type InfiniteData, QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { newer, take } from "./jobs-live";
import { keys } from "./queries";
import type { Job, JobPage } from "./types";

const job = (rest: Partial<Job>): Job => ({
  id: "1",
  kind: "montage",
  title: "One",
  labels: {},
  priority: 0,
  state: "running",
  run_at: "2026-01-10T12:00:00Z",
  max_attempts: 5,
  cancel_requested: false,
  spec: { montage: "m", transcribe: { engine: "local" } },
  attempts: [],
  created_at: "2026-01-10T12:00:00Z",
  updated_at: "2026-01-10T12:00:00Z",
  links: {},
  ...rest,
});
const attempt = { number: 1, executor: "e", started_at: "2026-01-10T12:00:00Z" };
const parts = { total: 2, done: 1, running: 1, executors: ["e"] };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("keeps the newer look, with what lists leave out from the fuller one", () => {
  const whole = job({ attempts: [attempt], parts });
  const listed = job({ updated_at: "2026-01-10T12:00:05Z", title: "Two" });
  expect(newer(whole, listed)).toMatchObject({ title: "Two", attempts: [attempt], parts });
  expect(newer(listed, whole)).toBe(listed);
});

it("reads lists again for changes of state only, once for all of them", async () => {
  const client = new QueryClient();
  const asked = vi.spyOn(client, "invalidateQueries");
  const lists = () => asked.mock.calls.filter(([what]) => what?.queryKey === keys.jobs).length;
  const key = [...keys.jobs, {}];
  client.setQueryData<InfiniteData<JobPage>>(key, { pages: [{ items: [job({})] }], pageParams: [undefined] });
  const others = [...keys.jobs, { state: "dead" }];
  const kept = { pages: [{ items: [] }], pageParams: [undefined] };
  client.setQueryData<InfiniteData<JobPage>>(others, kept);
  // The first word of a job, and of another one.
  take(client, job({ updated_at: "2026-01-10T12:00:01Z" }));
  take(client, job({ id: "2" }));
  await vi.advanceTimersByTimeAsync(1000);
  expect(lists()).toBe(1);
  for (let second = 2; second < 9; second += 1) {
    const progress = { stage: "rendering", fraction: second / 10, frames_done: 0, frames_total: 0 } as const;
    take(client, job({ updated_at: `2026-01-10T12:00:0${second}Z`, progress }));
  }
  await vi.advanceTimersByTimeAsync(1000);
  expect(lists()).toBe(1);
  expect(client.getQueryData<InfiniteData<JobPage>>(key)?.pages[0]?.items[0]?.progress?.fraction).toBe(0.8);
  // A list that has nothing of it stays the very same.
  expect(client.getQueryData(others)).toBe(kept);
  take(client, job({ state: "succeeded", updated_at: "2026-01-10T12:00:10Z" }));
  await vi.advanceTimersByTimeAsync(1000);
  expect(lists()).toBe(2);
});
