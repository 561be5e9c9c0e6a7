// What somebody who never read the docs does: find a moment by what was said, play it, see how it was made, make a montage of one's own,
// watch it being made, and play it.
import { expect, lookAt, stack, test } from "./support";

test("search, play at the found word, make, watch, play the result", async ({ page, watch }) => {
  test.setTimeout(600_000);
  // A job's page looks whether there is a preview already.
  watch.allow(/status of 404.*preview\.m3u8/);
  await page.goto("/");
  await page.getByRole("searchbox").fill("red door");
  await page.keyboard.press("Enter");
  const moment = page.getByRole("region", { name: "Moments" }).getByRole("link").first();
  await expect(moment).toContainText(/red door/i);
  await moment.click();

  // The montage stands at the second at which it is said.
  await expect(page).toHaveURL(new RegExp(`/m/${stack.montage()}\\?t=`));
  const video = page.locator("main video");
  const asked = Number(new URL(page.url()).searchParams.get("t"));
  expect(asked).toBeGreaterThan(1);
  await expect
    .poll(() => video.evaluate((element: HTMLVideoElement) => element.currentTime))
    .toBeGreaterThanOrEqual(asked - 0.1);
  await page.keyboard.press("k");
  await expect
    .poll(() => video.evaluate((element: HTMLVideoElement) => element.currentTime))
    .toBeGreaterThan(asked + 0.5);
  await page.keyboard.press("k");
  await expect.poll(() => video.evaluate((element: HTMLVideoElement) => element.paused)).toBe(true);
  await page.getByRole("tab", { name: "How it was made" }).click();
  await expect(page.getByText(/copied bit for bit|were encoded/).first()).toBeVisible();
  await lookAt(page, "journey-montage");

  // Make another one: of an uploaded film.
  await page.getByRole("link", { name: "Make", exact: true }).click();
  await expect(page).toHaveURL(/\/make/);
  await page.locator("input[type=file]").first().setInputFiles(stack.upload());
  await expect(page.getByText("spoken.mp4").first()).toBeVisible();
  const source = page.locator("main video");
  await expect.poll(() => source.evaluate((element: HTMLVideoElement) => element.readyState)).toBeGreaterThan(0);
  await source.evaluate((element: HTMLVideoElement) => {
    element.currentTime = 2;
  });
  await expect.poll(() => source.evaluate((element: HTMLVideoElement) => element.seeking)).toBe(false);
  await page.getByRole("button", { name: /^Start here/ }).click();
  await source.evaluate((element: HTMLVideoElement) => {
    element.currentTime = 6;
  });
  await expect.poll(() => source.evaluate((element: HTMLVideoElement) => element.seeking)).toBe(false);
  await page.getByRole("button", { name: /^End here/ }).click();
  await page.getByRole("button", { name: "Add the clip" }).click();
  await page.getByLabel("Title of the montage").fill("Made in the browser");
  await expect(page.getByText(/bit-for-bit copies/).first()).toBeVisible();
  await lookAt(page, "journey-make");
  await page.getByRole("button", { name: "Make the montage" }).click();

  // Watch it.
  await expect(page).toHaveURL(/\/jobs\/[0-9a-f-]+/);
  await expect(page.getByRole("heading", { name: "Montage" })).toBeVisible({ timeout: 240_000 });
  await lookAt(page, "journey-made");
  await page.getByRole("link", { name: "Open in the library" }).click();
  const made = page.locator("main video");
  await expect.poll(() => made.evaluate((element: HTMLVideoElement) => element.duration)).toBeCloseTo(4, 0);
  await page.keyboard.press("k");
  await expect.poll(() => made.evaluate((element: HTMLVideoElement) => element.currentTime)).toBeGreaterThan(1);
  expect(await made.evaluate((element: HTMLVideoElement) => element.error)).toBeNull();
});
