// Jobs and operations: every page in its states, and what can be done there.
import { api, expect, lookAt, stack, test } from "./support";

test("jobs are listed, found by their state, and explained where they failed", async ({ page }) => {
  await page.goto("/jobs");
  await expect(page.getByText("A dead link").first()).toBeVisible();
  await lookAt(page, "jobs");
  await page.goto("/jobs?state=failed");
  const failed = page.getByRole("link", { name: "A dead link" }).first();
  await expect(failed).toBeVisible();
  await lookAt(page, "jobs-failed");
  await failed.click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("A dead link");
  await expect(page.getByText(/was not found/).first()).toBeVisible();
  await lookAt(page, "job-failed");
  await page.goto("/jobs?label=nobody:has-this");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await lookAt(page, "jobs-nothing");
});

test("a job that waits is changed and cancelled", async ({ page }) => {
  const posted = await api("POST", "/v1/jobs", {
    kind: "montage",
    title: "For much later",
    run_at: "2099-01-01T00:00:00Z",
    spec: { highlights: [{ source: { url: stack.media("/media/short.mp4") }, start: 0, duration: "1s" }] },
  });
  const { id } = posted.body as { id: string };
  await page.goto(`/jobs/${id}`);
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByLabel(/Priority/).fill("7");
  await lookAt(page, "job-change");
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /Save|Change/ })
    .last()
    .click();
  await expect(page.getByText("priority 7")).toBeVisible();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await expect(page.getByText("Cancelled").first()).toBeVisible();
  expect(((await api("GET", `/v1/jobs/${id}`)).body as { state: string; priority: number }).state).toBe("cancelled");
});

test("operations show who works, what died, who may do what and who is told", async ({ page }) => {
  await page.goto("/operations");
  await expect(page.getByRole("heading", { name: "All jobs by state" })).toBeVisible();
  await lookAt(page, "operations");
  await page.getByRole("tab", { name: "Executors" }).click();
  await expect(page.getByRole("heading", { name: "executor-1" })).toBeVisible();
  await lookAt(page, "operations-executors");
  await page.getByRole("tab", { name: "Dead jobs" }).click();
  await expect(page.getByText("A dead link").first()).toBeVisible();
  await lookAt(page, "operations-dead");
  await page.getByRole("tab", { name: "Keys" }).click();
  await page.getByRole("button", { name: "New key" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("A key of the test");
  await page.getByRole("checkbox", { name: /^read/ }).check();
  await page.getByRole("button", { name: "Make the key" }).click();
  await expect(page.getByText(/^sm_/).or(page.locator("input[value^=sm_]")).first()).toBeVisible();
  await lookAt(page, "operations-key-made");
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: "Webhooks" }).click();
  await page
    .getByRole("button", { name: /webhook/i })
    .first()
    .click();
  await page.getByRole("dialog").locator("input[type=url]").fill("https://receiver.example/hook");
  await page.getByRole("button", { name: "Make the webhook" }).click();
  await expect(
    page
      .getByText(/^whsec_/)
      .or(page.locator("input[value^=whsec_]"))
      .first(),
  ).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByText("receiver.example").first()).toBeVisible();
  await lookAt(page, "operations-webhooks");
});

test("the page of a problem is readable too", async ({ page }) => {
  await page.goto("/docs/errors/invalid-spec");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await lookAt(page, "docs-error");
});
