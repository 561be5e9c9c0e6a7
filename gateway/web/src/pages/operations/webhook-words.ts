// Webhooks and their deliveries in words. Pure.
import type { components } from "../../api/schema";
import { age } from "../../lib/format";
import type { Shown } from "../jobs/words";

type Schemas = components["schemas"];
export type Webhook = Schemas["Webhook"];
export type Delivery = Schemas["Delivery"];
export type WebhookEvent = Schemas["WebhookEvent"];

/** The events that a webhook chooses from. */
export const EVENTS: [WebhookEvent, string][] = [
  ["job.succeeded", "A montage or transcript is published."],
  ["job.failed", "A job cannot be done as it is written."],
  ["job.dead", "A job’s attempts are used up."],
  ["job.cancelled", "Somebody cancelled a job."],
];

export function shownWebhook(webhook: Pick<Webhook, "enabled" | "failing_since">): Shown {
  if (!webhook.enabled) return { word: "Disabled", icon: "pause", look: "off" };
  if (webhook.failing_since) return { word: "Failing", icon: "warning", look: "warn" };
  return { word: "Enabled", icon: "check", look: "good" };
}

/** What an operator should know of a webhook beyond its state. */
export function webhookNotes(webhook: Webhook, now: number): string[] {
  const notes: string[] = [];
  if (webhook.disabled_reason) notes.push(`Disabled by itself: ${webhook.disabled_reason}`);
  if (webhook.enabled && webhook.failing_since) {
    notes.push(
      `Its receiver began to fail ${age(webhook.failing_since, now)}. After five days without a success it is disabled.`,
    );
  }
  if (webhook.old_secret_until && Date.parse(webhook.old_secret_until) > now) {
    notes.push(`The secret before this one signs too; that ends ${age(webhook.old_secret_until, now)}.`);
  }
  return notes;
}

const STATES: Record<Delivery["state"], Shown> = {
  waiting: { word: "Waiting", icon: "schedules", look: "wait" },
  delivered: { word: "Delivered", icon: "check", look: "good" },
  failed: { word: "Failed", icon: "warning", look: "bad" },
};

export const shownDelivery = (delivery: Pick<Delivery, "state">): Shown =>
  STATES[delivery.state] ?? { word: delivery.state, icon: "more", look: "off" };

/** How the newest try went, and what comes next. */
export function deliveryWords(delivery: Delivery, now: number): string {
  const said: string[] = [];
  if (delivery.last_error) said.push(delivery.last_error);
  else if (delivery.last_status) said.push(`Answered ${delivery.last_status}.`);
  if (delivery.state === "waiting" && delivery.next_at) {
    const later = Date.parse(delivery.next_at) - now;
    said.push(
      later > 2000 ? `Sent ${delivery.attempts > 0 ? "again " : ""}${age(delivery.next_at, now)}.` : "Being sent.",
    );
  }
  return said.join(" ");
}
