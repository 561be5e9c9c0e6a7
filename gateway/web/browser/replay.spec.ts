// A replay becomes a video: its files are chosen, the job is followed, and what was played is told and checked.
import { dirname, join } from "node:path";
import { expect, lookAt, stack, test } from "./support";

const file = (name: string): string => join(dirname(stack.upload()), name);

test("files are sent, the video is made, and what was played is told", async ({ page, watch }) => {
  // The mistake that is made on purpose is refused.
  watch.allow(/status of 422 .*\/v1\/jobs$/);
  await page.goto("/make");
  await page.getByRole("link", { name: "Replay video" }).click();
  await expect(page.getByRole("heading", { name: "A video of a replay" })).toBeVisible();
  const make = page.getByRole("button", { name: "Make the video" });
  await expect(page.getByText("Still missing: replay and map.")).toBeVisible();
  await lookAt(page, "replay-empty");
  await page.getByLabel("Replay", { exact: true }).setInputFiles(file("play.osr"));
  await expect(page.getByText("play.osr")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Title" })).toHaveValue("play");
  // The map by a link, as it may come too.
  await page.getByLabel("or a link to the map").fill(stack.media("/media/play.osz"));
  await page.getByText("Picture", { exact: true }).click();
  await page.getByLabel("Width").fill("640");
  await page.getByLabel("Height").fill("361");
  await page.getByLabel("Encoder’s effort").selectOption("ultrafast");
  await make.click();
  // The place of the mistake is shown, and nothing is lost.
  await expect(page.getByText("expected an even number")).toBeVisible();
  await lookAt(page, "replay-mistake");
  await page.getByLabel("Height").fill("360");
  await page.getByLabel("Frame rate").fill("30");
  await make.click();
  await expect(page).toHaveURL(/\/jobs\//);
  await expect(page.getByText("Replay", { exact: true }).first()).toBeVisible();
  const play = page.getByRole("link", { name: "Open in the library" });
  await expect(play).toBeVisible({ timeout: 120_000 });
  await play.click();
  await expect(page).toHaveURL(/\/m\//);
  await page.getByRole("tab", { name: "The play" }).click();
  await expect(page.getByText(/^Verified/)).toBeVisible();
  await expect(page.getByText(/plays Tests – Sixteen Circles/)).toBeVisible();
  await lookAt(page, "replay-play");
  await page.getByRole("tab", { name: "Chapters" }).click();
  await expect(page.getByText("Miss").first()).toBeVisible();
});

test("a replay of another map is explained", async ({ page }) => {
  await page.goto("/make/replay");
  await page.getByLabel("or a link to the replay").fill(stack.media("/media/play.osr"));
  await page.getByLabel("or a link to the map").fill(stack.media("/media/other.osz"));
  await page.getByRole("button", { name: "Make the video" }).click();
  await expect(page).toHaveURL(/\/jobs\//);
  await expect(page.getByRole("heading", { name: "Why it failed" })).toBeVisible({ timeout: 60_000 });
  await lookAt(page, "replay-failed");
  await page.getByRole("link", { name: /^replay_map_/ }).click();
  await expect(page.getByRole("heading", { name: "What to do" })).toBeVisible();
});
