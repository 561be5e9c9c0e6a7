// Schedules: the simplest one, one with everything, what their runs show, and that changing one loses nothing.
import type { Page } from "@playwright/test";
import type { Schedule } from "../src/api/types";
import { api, expect, lookAt, stack, test } from "./support";

test("a schedule is made with its rule in words, run, paused and deleted", async ({ page, watch }) => {
  watch.allow(/status of 4\d\d/);
  await page.goto("/schedules");
  await expect(page.getByRole("heading", { name: "There are no schedules yet" })).toBeVisible();
  await lookAt(page, "schedules-empty");
  await page.getByRole("link", { name: "New schedule" }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("New schedule");
  await page.getByLabel("Name", { exact: true }).fill("Weekly best");
  await page.getByLabel("Its address").fill(stack.media("/media/list.json"));
  // The rule in words, and the next five times.
  await expect(page.getByText(/^At \d\d:\d\d/i).first()).toBeVisible();
  await lookAt(page, "schedule-new");
  await page
    .locator("form")
    .getByRole("button", { name: /Make the schedule|Save/ })
    .click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Weekly best");
  await page.getByRole("button", { name: /^Run now/ }).click();
  await expect(page.getByRole("heading", { name: "History" })).toBeVisible();
  // What the simplest one makes is one job, called after it.
  await expect(page.getByText("1 job: 1 posted")).toBeVisible();
  await expect(page.getByRole("rowheader", { name: "Weekly best" })).toBeVisible();
  await lookAt(page, "schedule");
  await page.goto("/schedules");
  await expect(page.getByRole("link", { name: "Weekly best", exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Pause: Weekly best" }).click();
  await expect(page.getByRole("button", { name: "Resume: Weekly best" })).toBeVisible();
  await lookAt(page, "schedules");
});

/** Opens everything that is folded away. */
const unfold = (page: Page) =>
  page.evaluate(() => {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
  });

test("a table as text becomes one montage for each streamer and one of all, for the days that are asked for", async ({
  page,
  watch,
}) => {
  watch.allow(/status of 422/);
  await page.goto("/schedules/new");
  await page.getByLabel("Name", { exact: true }).fill("Best of each");
  await page.getByLabel("Its address").fill(stack.media("/media/week.csv"));
  await page.getByLabel("It is written as").selectOption("csv");
  await page.getByText("The names of the columns").click();
  await page.getByLabel("When it was").fill("Day");
  await page.getByLabel("Which days").selectOption("last");
  await page.getByLabel("How many days").fill("7");
  await page.getByRole("button", { name: "One for each streamer and one of all" }).click();
  // What was chosen last is gone on with.
  const first = page.getByRole("group", { name: "Montage 1: One for each streamer" });
  await expect(first.getByLabel("How many")).toBeFocused();
  await expect(page.getByRole("group", { name: "Montage 2: One of all streamers" })).toBeVisible();
  await first.getByLabel("Title", { exact: true }).fill("Best of {streamr}");
  await unfold(page);
  await lookAt(page, "schedule-new-whole");
  await page.getByRole("button", { name: "Make the schedule" }).click();
  // The mistake is shown where it is, and gone to.
  await expect(first.getByText(/did you mean \{streamer\}/)).toBeVisible();
  await expect(first.getByLabel("Title", { exact: true })).toBeFocused();
  await first.getByLabel("Title", { exact: true }).fill("Best of {streamer}, {from} to {to}");
  // What it would make of the week with the rows, before it is made.
  await page.getByLabel("Which days").selectOption("days");
  await page.getByLabel("From", { exact: true }).fill("2026-11-16");
  await page.getByLabel("To", { exact: true }).fill("2026-11-22");
  await page.getByRole("button", { name: "Try it out" }).click();
  await expect(page.getByRole("heading", { name: "What a run would make now" })).toBeFocused();
  await expect(page.getByText("It would post 3 jobs.")).toBeVisible();
  await expect(page.getByRole("rowheader", { name: "Of hana", exact: true })).toBeVisible();
  await lookAt(page, "schedule-trial");
  await page.getByLabel("Which days").selectOption("last");
  await expect(page.getByText("Something was changed since")).toBeVisible();
  await page.getByRole("button", { name: "Make the schedule" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Best of each");
  await expect(page.getByText("the 7 days before the run")).toBeVisible();

  await page.getByRole("button", { name: "Run for other days" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Which days").selectOption("days");
  await dialog.getByLabel("From", { exact: true }).fill("2026-11-16");
  await dialog.getByLabel("To", { exact: true }).fill("2026-11-22");
  await lookAt(page, "schedule-run");
  await dialog.getByRole("button", { name: "Run it" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText("3 jobs: 3 posted")).toBeVisible();
  for (const title of ["Best of hana, 2026-11-16 to 2026-11-22", "Best of mio, 2026-11-16 to 2026-11-22"]) {
    await expect(page.getByRole("link", { name: title })).toBeVisible();
  }
  await page.getByText("2 could not be used").click();
  await expect(page.getByRole("table", { name: "Rows that could not be used" }).getByRole("rowheader")).toHaveCount(2);
  await lookAt(page, "schedule-run-done");
  await page.getByRole("link", { name: "Best of hana, 2026-11-16 to 2026-11-22" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Best of hana, 2026-11-16 to 2026-11-22");
  await page.goto("/schedules");
  await expect(page.getByRole("link", { name: "3 jobs" })).toBeVisible();
});

test("changing one thing of a schedule leaves everything else as it was", async ({ page }) => {
  const posted = await api("POST", "/v1/schedules", {
    name: "Kept",
    cron: "15 6 * * *",
    time_zone: "Europe/Berlin",
    source: {
      url: stack.media("/media/list.json?from={from}"),
      format: "json",
      mapping: { rows: "$[*]", video: "$.source.url" },
      duration: "8s",
    },
    window: { from: "2026-11-16", to: "2026-11-22" },
    montages: [
      {
        of: "each_streamer",
        labels: { of: "{streamer}" },
        select: { padding: { before: "2s" }, seed: 7, merge: false },
      },
      { title: "All of {date}", select: { order: "shuffle", seed: 7, budget: "10:00", mix: "equal" } },
    ],
    jitter: "90s",
    catch_up: "each",
    overlap: "wait",
    template: { labels: { show: "kept" }, spec: { canvas: { width: 640, height: 360 } } },
    paused: true,
  });
  expect(posted.status).toBe(201);
  const before = posted.body as Schedule;
  await page.goto(`/schedules/${before.id}`);
  await expect(page.getByText("up to 90 seconds later")).toBeVisible();
  await lookAt(page, "schedule-kept");
  await page.getByRole("link", { name: "Change" }).click();
  await page
    .getByRole("group", { name: "Montage 2: One of all streamers" })
    .getByLabel("Title", { exact: true })
    .fill("Everything");
  await unfold(page);
  await lookAt(page, "schedule-change");
  await page.getByRole("button", { name: "Save the schedule" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Kept");
  await expect(page.getByText("“Everything”")).toBeVisible();
  const after = (await api("GET", `/v1/schedules/${before.id}`)).body as Schedule;
  const montages = before.montages.map((montage, index) =>
    index === 1 ? { ...montage, title: "Everything" } : montage,
  );
  expect(after).toEqual({ ...before, montages, updated_at: after.updated_at });
});
