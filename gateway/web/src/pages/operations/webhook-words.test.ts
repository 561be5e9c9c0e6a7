import { describe, expect, it } from "vitest";
import { type Delivery, deliveryWords, shownWebhook, type Webhook, webhookNotes } from "./webhook-words";

const NOW = Date.parse("2026-01-10T12:00:00Z");
const webhook: Webhook = {
  id: "w",
  url: "https://hooks.example/x",
  events: ["job.dead"],
  enabled: true,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
};
const delivery: Delivery = {
  id: "d",
  event: "job.dead",
  state: "waiting",
  attempts: 0,
  created_at: "2026-01-10T11:00:00Z",
};

describe("webhooks in words", () => {
  it("tells one that a person switched off from one that was disabled by itself", () => {
    expect(shownWebhook({ ...webhook, enabled: false }).word).toBe("Disabled");
    expect(webhookNotes({ ...webhook, enabled: false }, NOW)).toEqual([]);
    expect(webhookNotes({ ...webhook, enabled: false, disabled_reason: "The receiver answered 410." }, NOW)).toEqual([
      "Disabled by itself: The receiver answered 410.",
    ]);
  });
  it("warns while its receiver fails, and says how long an old secret lives", () => {
    const failing = { ...webhook, failing_since: "2026-01-09T11:00:00Z", old_secret_until: "2026-01-10T15:00:01Z" };
    expect(shownWebhook(failing).word).toBe("Failing");
    expect(webhookNotes(failing, NOW)).toEqual([
      "Its receiver began to fail yesterday. After five days without a success it is disabled.",
      "The secret before this one signs too; that ends in 3 hours.",
    ]);
    expect(webhookNotes({ ...webhook, old_secret_until: "2026-01-10T11:00:00Z" }, NOW)).toEqual([]);
  });
  it("says how a try went and what comes next", () => {
    expect(deliveryWords({ ...delivery, next_at: "2026-01-10T12:00:01Z" }, NOW)).toBe("Being sent.");
    const again = {
      ...delivery,
      attempts: 3,
      last_status: 502,
      last_error: "It answered 502.",
      next_at: "2026-01-10T12:30:00Z",
    };
    expect(deliveryWords(again, NOW)).toBe("It answered 502. Sent again in 30 minutes.");
    expect(deliveryWords({ ...delivery, state: "delivered", attempts: 1, last_status: 204 }, NOW)).toBe(
      "Answered 204.",
    );
  });
});
