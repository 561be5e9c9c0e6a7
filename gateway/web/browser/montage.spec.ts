// A montage's page: the player and its keys, the transcript, how it was made, and what can be changed and taken back.
import { api, expect, lookAt, stack, test } from "./support";

test("the player is operated by keys, and the transcript goes along", async ({ page }) => {
  await page.goto(`/m/${stack.montage()}?t=3&q=lighthouse`);
  const video = page.locator("main video");
  const now = () => video.evaluate((element: HTMLVideoElement) => element.currentTime);
  await expect.poll(now).toBeCloseTo(3, 1);
  await expect(page.locator("main mark").first()).toHaveText(/lighthouse/i);
  await lookAt(page, "montage");
  await page.locator("main").focus();
  // To the next picture of thirty in a second, wherever within it the player stops.
  const frame = async () => Math.floor((await now()) * 30 + 0.01);
  const before = await frame();
  await page.keyboard.press(".");
  await expect.poll(frame).toBe(before + 1);
  await page.keyboard.press("9");
  await expect.poll(now).toBeGreaterThan(12);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog")).toBeVisible();
  await lookAt(page, "montage-keys");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
});

test("how it was made is told in words, and everything can be downloaded", async ({ page, request }) => {
  await page.goto(`/m/${stack.montage()}`);
  await page.getByRole("tab", { name: "How it was made" }).click();
  await expect(page.getByText(/copied bit for bit|were encoded/).first()).toBeVisible();
  await expect(page.getByText(/executor-\d/).first()).toBeVisible();
  await lookAt(page, "montage-made");
  await page.getByRole("tab", { name: "Download" }).click();
  await lookAt(page, "montage-download");
  const links = await page
    .getByRole("tabpanel")
    .getByRole("link")
    .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
  for (const part of [
    "media",
    "captions.vtt",
    "captions.srt",
    "captions.txt",
    "captions.json",
    "chapters.txt",
    "timeline.edl",
    "timeline.otio",
  ]) {
    const link = links.find((href) => href.includes(`/v1/montages/${stack.montage()}/${part}`));
    expect(link, `${part} among ${links.join(" ")}`).toBeDefined();
    const answer = await request.get(link ?? "");
    expect(answer.status(), part).toBe(200);
    expect((await answer.body()).length, part).toBeGreaterThan(10);
  }
});

test("it is renamed, labelled, deleted and taken back", async ({ page, watch }) => {
  // What is deleted is not there any more.
  watch.allow(/status of 404/);
  const listed = (await api("GET", "/v1/montages?label=show:films&limit=1")).body as { items: { id: string }[] };
  const id = listed.items[0]?.id ?? stack.montage();
  await page.goto(`/m/${id}`);
  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: /title/i }).first().fill("Renamed in the browser");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Renamed in the browser");
  await page.getByRole("button", { name: /Edit labels|Add labels/ }).click();
  await lookAt(page, "montage-labels");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page).toHaveURL(/\/$/);
  await expect(page.getByText("The montage is deleted")).toBeVisible();
  await expect(page.getByRole("listitem").filter({ hasText: "Renamed in the browser" })).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("Renamed in the browser").first()).toBeVisible();
  expect((await api("GET", `/v1/montages/${id}`)).status).toBe(200);
});

test("what is not there says so", async ({ page, watch }) => {
  watch.allow(/status of 404/);
  await page.goto("/m/01930000-0000-7000-8000-000000000000");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await lookAt(page, "montage-gone");
});
