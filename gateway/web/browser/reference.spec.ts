// The API's reference: a route is found by words, opens where its address points to, and gives its example away.
import { expect, lookAt, test } from "./support";

test("a route is found, opened and its example copied, by keys alone", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto("/docs");
  const contents = page.getByRole("navigation", { name: "Contents" });
  await expect(contents.getByRole("link", { name: "Make a key" })).toBeVisible();
  await lookAt(page, "reference");
  await page.keyboard.press("/");
  await page.keyboard.type("cancel job");
  await expect(contents.getByRole("link", { name: "Make a key" })).toBeHidden();
  await contents.getByRole("link", { name: "Cancel a job" }).focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/docs#cancel_job$/);
  const route = page.locator("#cancel_job");
  await expect(route).toHaveAttribute("open");
  await expect(route.locator("summary").first()).toBeFocused();
  await route.getByRole("button", { name: "Copy: Cancel a job" }).press("Enter");
  await expect(route.getByText("Copied")).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain('curl -X POST "$GATEWAY/v1/jobs/$LATER_JOB/cancel"');
  expect(await page.locator("main").textContent()).not.toContain("[object");
  await lookAt(page, "reference-route");
  await route.getByRole("link", { name: "not_found" }).click();
  await expect(page).toHaveURL(/\/docs\/errors\/not-found$/);
  // An address that somebody sent opens what it points to.
  await page.goto("/docs#schema-PostedHighlight");
  await expect(page.locator("#schema-PostedHighlight").getByText("A moment worth showing.")).toBeVisible();
  // And the examples name the server that shows them.
  await expect(page.locator("#setup")).toContainText(`GATEWAY=${new URL(page.url()).origin}`);
});
