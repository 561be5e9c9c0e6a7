// The page that makes a montage: by file, by link, by list; with mistakes explained where they are.
import { expect, lookAt, stack, test } from "./support";

test("an empty start says what to do, and a dead link what is wrong", async ({ page, watch }) => {
  watch.allow(/status of 4\d\d/);
  await page.goto("/make");
  await expect(page.getByRole("heading", { name: "Add sources" })).toBeVisible();
  await lookAt(page, "make-empty");
  await page.getByLabel("Link to a video, or a path").fill(stack.media("/missing.mp4"));
  await page.keyboard.press("Enter");
  await expect(page.getByText("missing.mp4").first()).toBeVisible();
  await expect(page.getByText(/was not found/).first()).toBeVisible();
  await lookAt(page, "make-dead-link");
});

test("a list of moments is imported, put in order by keyboard, and its plan shown", async ({ page }) => {
  await page.goto("/make");
  await page.getByLabel("Link to a video, or a path").fill(stack.media("/media/spoken.mp4"));
  await page.keyboard.press("Enter");
  await expect
    .poll(() => page.locator("main video").evaluate((element: HTMLVideoElement) => element.readyState))
    .toBeGreaterThan(0);
  await lookAt(page, "make-source");
  await page.getByRole("button", { name: "Import a list" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox").first().fill("start,end,title\n0:01,0:03,One\n0:04,0:06,Two\nsoon,later,Three\n");
  await expect(dialog.getByText(/line 4/i).first()).toBeVisible();
  await lookAt(page, "make-import");
  await dialog
    .getByRole("button", { name: /^(Take|Import|Add)/ })
    .last()
    .click();
  await expect(dialog).toBeHidden();
  const clips = page.getByRole("region", { name: /Put them in order/ }).getByRole("listitem");
  await expect(clips).toHaveCount(2);
  await expect(clips.nth(0)).toContainText("One");
  await clips.nth(0).getByRole("button", { name: /down/i }).click();
  await expect(clips.nth(0)).toContainText("Two");
  await expect(page.getByText(/to encode|bit-for-bit copies/).first()).toBeVisible();
  await lookAt(page, "make-plan");
  // Nothing is lost by a reload.
  await page.reload();
  await expect(clips).toHaveCount(2);
  await expect(clips.nth(0)).toContainText("Two");
});
