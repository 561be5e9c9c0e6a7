// The API's page: renders /openapi.json below what the page says itself. Everything is put into the page as text, never as markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];
const DEEPEST = 6;
const byId = (id) => document.getElementById(id);

function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class" || key === "id" || key.includes("-")) element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

const anchor = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
const refName = (schema) => schema.$ref && schema.$ref.split("/").pop();

/** The pages of problem codes, as the list of problems on this page names them. */
const problems = new Map([...document.querySelectorAll('td a[href^="/docs/errors/"]')].map((link) => [link.textContent, link.getAttribute("href")]));

/** A line of text with `code` in backquotes, with links to the web and to the pages of problems. */
function prose(text) {
  return (text || "").split(/(`[^`]+`|\[[^\]]+\]\(https:[^)]+\))/).map((part) => {
    const link = part.match(/^\[([^\]]+)\]\((https:[^)]+)\)$/);
    if (link) return el("a", { href: link[2], rel: "noreferrer" }, link[1]);
    if (part.length < 3 || !part.startsWith("`") || !part.endsWith("`")) return part;
    const code = el("code", {}, part.slice(1, -1));
    const page = problems.get(code.textContent);
    return page ? el("a", { href: page }, code) : code;
  });
}

/** What an operation does in a few words: its first sentence. */
const brief = (spec, path) => (spec.summary || path).split(/[.:;] /)[0].replaceAll("`", "");

/** A description: paragraphs, and code between lines of three backquotes. */
function paragraphs(text) {
  return (text || "").split(/^```\w*\n([\s\S]*?)^```$/m).flatMap((part, index) => {
    if (index % 2) return [el("pre", { tabIndex: 0 }, part.trimEnd())];
    return part.split("\n\n").filter((one) => one.trim()).map((one) => el("p", {}, prose(one.trim())));
  });
}

/** A schema in words, with links to the named ones. */
function typeOf(schema) {
  if (!schema || schema === true) return ["anything"];
  const name = refName(schema);
  if (name) return [el("a", { href: `#schema-${name}` }, name)];
  const choices = schema.oneOf || schema.anyOf;
  if (choices) {
    const parts = choices.filter((choice) => choice.type !== "null").map(typeOf);
    const words = parts.flatMap((part, index) => (index ? [" or ", ...part] : part));
    return choices.length > parts.length ? [...words, ", or null"] : words;
  }
  if (schema.allOf) return schema.allOf.flatMap((part, index) => (index ? [" with ", ...typeOf(part)] : typeOf(part)));
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(" | ")];
  const types = [].concat(schema.type || []);
  const words = types.filter((type) => type !== "null").flatMap((type) => {
    if (type === "array") return ["list of ", ...typeOf(schema.items)];
    if (type === "object" && schema.additionalProperties) return ["names with ", ...typeOf(schema.additionalProperties)];
    const fields = Object.keys(schema.properties || {});
    if (type === "object" && fields.length) return [`{ ${fields.join(", ")} }`];
    return [schema.format ? `${type} (${schema.format})` : type];
  });
  if (words.length === 0) return ["anything"];
  const limits = [["from", schema.minimum], ["to", schema.maximum]].filter(([, value]) => value !== undefined);
  if (schema.default !== undefined && schema.default !== null) limits.push(["default", JSON.stringify(schema.default)]);
  const all = limits.length ? [...words, `, ${limits.map((limit) => limit.join(" ")).join(" ")}`] : words;
  return types.includes("null") ? [...all, ", or null"] : all;
}

/** An example value of a schema. */
function example(schema, schemas, depth = 0) {
  if (!schema || schema === true || depth > DEEPEST) return null;
  if (schema.example !== undefined) return schema.example;
  if (schema.examples && schema.examples.length) return schema.examples[0];
  if (schema.default !== undefined && schema.default !== null) return schema.default;
  const name = refName(schema);
  if (name) return example(schemas[name], schemas, depth + 1);
  if (schema.enum) return schema.enum[0];
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => example(part, schemas, depth)));
  const choice = (schema.oneOf || schema.anyOf || []).find((part) => part.type !== "null");
  if (choice) return example(choice, schemas, depth);
  const type = [].concat(schema.type || "object").find((one) => one !== "null");
  if (type === "array") return schema.items ? [example(schema.items, schemas, depth + 1)] : [];
  if (type === "string") return { uuid: "0190c0de-0000-7000-8000-000000000000", "date-time": "2026-11-22T18:00:00Z" }[schema.format] || "text";
  if (type === "integer" || type === "number") return schema.minimum ?? 1;
  if (type === "boolean") return false;
  const object = {};
  for (const [key, value] of Object.entries(schema.properties || {})) object[key] = example(value, schemas, depth + 1);
  return object;
}

/** A table; on small screens each row becomes a block, which is why its parts say what they are. */
function table(heads, rows) {
  const cell = (content, index) => el("td", { role: "cell", "data-head": heads[index] }, content);
  return el("div", { class: "wide", tabIndex: 0 }, el("table", { role: "table" },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, heads.map((head) => el("th", { scope: "col", role: "columnheader" }, head)))),
    el("tbody", { role: "rowgroup" }, rows.map((row) => el("tr", { role: "row" }, row.map(cell))))));
}

/** Puts a button over text that people copy; `title` says what it is. */
function copyable(pre, title) {
  const label = title ? `Copy: ${title}` : "Copy";
  const button = el("button", { type: "button", "aria-label": label }, "Copy");
  const said = el("span", { class: "small soft", role: "status" });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(pre.textContent);
      said.textContent = "Copied";
    } catch {
      // Browsers let pages write to the clipboard only over https and on this machine.
      getSelection().selectAllChildren(pre);
      said.textContent = "Selected: copy it by Ctrl+C";
    }
    setTimeout(() => said.replaceChildren(), 4000);
  });
  return el("div", { class: "copied" }, el("div", { class: "bar" }, el("span", {}, title || ""), el("span", {}, said, " ", button)), pre);
}

/** What a field means: also where it may be null, and its words stand with what it is otherwise. */
const meaning = (schema) => schema.description || (schema.oneOf || []).find((choice) => choice.description)?.description;

/** The fields of an object, with those of the parts that it is made of; null where it is none. */
function fields(schema, schemas) {
  const parts = [];
  const collect = (part) => {
    const whole = part?.$ref ? schemas[refName(part)] : part;
    if (whole?.properties) parts.push(whole);
    whole?.allOf?.forEach(collect);
  };
  collect(schema);
  const rows = parts.flatMap((part) => Object.entries(part.properties).map(([key, value]) => [
    [el("code", {}, key), (part.required || []).includes(key) ? " *" : ""], typeOf(value), prose(meaning(value))]));
  return rows.length ? table(["Field", "Type", "Meaning"], rows) : null;
}

function body(title, content, schemas) {
  return Object.entries(content || {}).flatMap(([kind, media]) => {
    const parts = [el("h4", {}, `${title} `, el("code", {}, kind), " ", media.schema ? typeOf(media.schema) : null)];
    if (media.schema?.$ref) parts.push(fields(media.schema, schemas) || el("p", {}, typeOf(schemas[refName(media.schema)])));
    if (kind === "text/event-stream") parts.push(el("pre", { tabIndex: 0 }, media.example || ""));
    else if (kind.includes("json") && media.schema) {
      const value = JSON.stringify(media.example ?? example(media.schema, schemas), null, 2);
      parts.push(el("details", { class: "more" }, el("summary", {}, `${title}: what it looks like`), el("pre", { tabIndex: 0 }, value)));
    }
    return parts;
  });
}

/** A route or a schema: a line, and more below it, which is only made when it is opened: there are hundreds of them. */
function entry(id, head, more) {
  const shown = el("details", { id, class: "item" }, el("summary", {}, el("h3", {}, head)));
  shown.addEventListener("toggle", () => shown.append(...more().filter(Boolean)), { once: true });
  return shown;
}

/** Who may ask, as a list of facts. */
function needs(spec) {
  const security = spec.security || [];
  if (!security.length) return ["Needs no key"];
  const scopes = security.flatMap((one) => Object.values(one).flat());
  if (!scopes.length) return ["Any key"];
  return ["A key with the scope ", ...scopes.flatMap((scope, index) => [index ? " or " : "", el("code", {}, scope)])];
}

/** What stands below a route. */
function details(id, spec, schemas) {
  const parts = [
    el("ul", { class: "facts" }, el("li", {}, needs(spec)), el("li", {}, el("a", { href: `#${id}` }, "Link to this")), el("li", {}, "Called ", el("code", {}, id))),
    ...paragraphs(spec.description),
  ];
  if (spec.parameters?.length) {
    parts.push(el("h4", {}, "Parameters"), table(["Name", "In", "Type", "Meaning"], spec.parameters.map((parameter) => [
      [el("code", {}, parameter.name), parameter.required ? " *" : ""], parameter.in, typeOf(parameter.schema), prose(parameter.description)])));
  }
  if (spec.requestBody) parts.push(...body("Body", spec.requestBody.content, schemas));
  const [first, ...others] = (spec["x-codeSamples"] || []).map((sample) => copyable(el("pre", { tabIndex: 0 }, sample.source), sample.label));
  if (first) parts.push(el("h4", {}, others.length ? "Examples" : "Example"), first);
  if (others.length) parts.push(el("details", { class: "more" }, el("summary", {}, `${others.length} more`), others));
  const answers = Object.entries(spec.responses || {});
  parts.push(el("h4", {}, "Answers"), table(["Status", "Body", "Meaning"], answers.map(([status, answer]) => [
    el("code", {}, status), Object.entries(answer.content || {}).slice(0, 1).flatMap(([kind, media]) => (media.schema && kind.includes("json") ? typeOf(media.schema) : el("code", {}, kind))),
    [prose(answer.description), Object.keys(answer.headers || {}).flatMap((name, index) => [index ? ", " : " Headers: ", el("code", {}, name)])]])));
  const good = answers.find(([status]) => status.startsWith("2"));
  if (good) parts.push(...body("Answer", good[1].content, schemas));
  return parts;
}

function operation(path, method, spec, schemas) {
  const id = spec.operationId || anchor(`${method} ${path}`);
  const head = [el("span", { class: `method ${method}` }, method.toUpperCase()), " ", el("code", {}, path), " ", el("span", { class: "words" }, prose(spec.summary))];
  return entry(id, head, () => details(id, spec, schemas));
}

function schemaEntry(name, schema, schemas) {
  return entry(`schema-${name}`, el("code", {}, name), () => {
    const choices = (schema.oneOf || []).filter((choice) => choice.description);
    return [...paragraphs(schema.description), fields(schema, schemas) || el("p", {}, typeOf(schema)),
      ...choices.map((choice) => el("p", { class: "soft small" }, typeOf(choice), ": ", prose(choice.description)))];
  });
}

/** The operations by their tags, in the document's order. */
function groupsOf(document_, schemas) {
  const groups = new Map((document_.tags || []).map((tag) => [tag.name, { about: tag.description, items: [] }]));
  for (const [path, item] of Object.entries(document_.paths || {})) {
    for (const method of METHODS.filter((name) => item[name] && !(name === "head" && item.get && !item.head.operationId))) {
      const tag = item[method].tags?.[0] || "other";
      if (!groups.has(tag)) groups.set(tag, { items: [] });
      const shown = operation(path, method, item[method], schemas);
      const link = el("li", {}, el("a", { href: `#${shown.id}` }, el("span", { class: `method ${method}` }, method.toUpperCase()), " ", brief(item[method], path)));
      const words = [path, method, shown.id, tag, item[method].summary, item[method].description, ...(item[method].parameters || []).map((one) => one.name)];
      groups.get(tag).items.push({ shown, link, words: words.join(" ").toLowerCase() });
    }
  }
  return [...groups].filter(([, group]) => group.items.length);
}

function render(document_) {
  const schemas = document_.components?.schemas || {};
  const groups = groupsOf(document_, schemas);
  byId("about").replaceChildren(...prose(document_.info?.description));
  byId("version").textContent = `Version ${document_.info?.version || "?"}. Fields and parameters with * are required.`;
  const sections = [];
  for (const [name, group] of groups) {
    group.head = el("div", {}, el("h2", { id: anchor(name), class: "tag" }, name), el("p", { class: "soft" }, prose(group.about)));
    group.list = el("div", {}, el("ul", {}, el("li", {}, el("a", { class: "tag", href: `#${anchor(name)}` }, name)), group.items.map((item) => item.link)));
    byId("index").append(group.list);
    sections.push(group.head, ...group.items.map((item) => item.shown));
  }
  const named = Object.keys(schemas).sort().map((name) => ({ shown: schemaEntry(name, schemas[name], schemas), words: [name, ...Object.keys(schemas[name].properties || {})].join(" ").toLowerCase() }));
  byId("reference").replaceChildren(...sections, el("h2", { id: "schemas" }, "Schemas"), ...named.map((one) => one.shown));
  byId("filter").addEventListener("input", () => filter(groups, named));
  filter(groups, named);
  reveal();
}

/** Shows what has all the words that are asked for. */
function filter(groups, schemas) {
  const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (item) => words.every((word) => item.words.includes(word));
  let count = 0;
  for (const [, group] of groups) {
    for (const item of group.items) {
      item.shown.hidden = item.link.hidden = !fits(item);
      count += fits(item) ? 1 : 0;
    }
    group.head.hidden = group.list.hidden = !group.items.some(fits);
  }
  for (const schema of schemas) schema.shown.hidden = !fits(schema);
  byId("guides").hidden = words.length > 0;
  const also = schemas.filter(fits).length;
  byId("found").textContent = words.length ? `${count} ${count === 1 ? "route" : "routes"}, ${also} ${also === 1 ? "schema" : "schemas"}` : `${count} routes. Press / to come here.`;
}

/** Opens what the address points to, and everything around it. */
function reveal() {
  const target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.closest("[hidden]")) {
    byId("filter").value = "";
    byId("filter").dispatchEvent(new Event("input"));
  }
  if (target.tagName === "DETAILS") {
    target.open = true;
    target.querySelector("summary").focus({ preventScroll: true });
  }
  target.scrollIntoView();
}

// Beside the text the contents are always there; above it they make room for it, and close when something was chosen.
const beside = matchMedia("(min-width: 64rem)");
const arrange = () => (byId("contents").open = beside.matches);
beside.addEventListener("change", arrange);
arrange();
byId("contents").addEventListener("click", (event) => {
  if (!event.target.closest("a")) return;
  if (!beside.matches) byId("contents").open = false;
  // A second click on the same link changes no address.
  setTimeout(reveal);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input")) return;
  event.preventDefault();
  byId("contents").open = true;
  byId("filter").focus();
});
window.addEventListener("hashchange", reveal);

byId("setup").textContent = byId("setup").textContent.replace(/^GATEWAY=.*/, `GATEWAY=${location.origin}`);
for (const pre of document.querySelectorAll("pre[data-copy]")) {
  const place = document.createComment("");
  pre.replaceWith(place);
  place.replaceWith(copyable(pre, pre.id === "setup" ? "Settings of the examples" : ""));
}
fetch("/openapi.json")
  .then((response) => response.json())
  .then(render)
  .catch(() => byId("reference").replaceChildren(el("p", {}, "openapi.json could not be read. Load the page again.")));
