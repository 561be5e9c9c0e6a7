import { expect, it } from "vitest";
import { concerns, type Stats } from "./concerns";

const calm: Stats = {
  states: {},
  depth: 0,
  oldest_seconds: null,
  unsent_hints: 0,
  executors_alive: 1,
  waiting_by_kind: {},
  last_hour: { succeeded: 0, failed: 0, dead: 0, cancelled: 0 },
};

it("is silent while all is well", () => {
  expect(concerns(calm)).toEqual([]);
  expect(concerns({ ...calm, depth: 3, oldest_seconds: 20 })).toEqual([]);
});

it("says what to do", () => {
  expect(concerns({ ...calm, executors_alive: 0, depth: 1 })).toEqual([
    "1 job waits, and no executor is there to take it: start one.",
  ]);
  expect(concerns({ ...calm, executors_alive: 0 })[0]).toContain("No executor is there");
  expect(concerns({ ...calm, depth: 2, oldest_seconds: 1200 })[0]).toContain("waited for 20 min");
  expect(concerns({ ...calm, unsent_hints: 2 })[0]).toContain("2 hints are not sent yet");
});
