// The API's page: renders /openapi.json. Everything is put into the page as text, never as markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete", "head"];
const DEEPEST = 6;

function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class" || key === "id" || key.includes("-")) element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const anchor = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
const refName = (schema) => schema.$ref && schema.$ref.split("/").pop();

/** Text with `code` in backquotes. */
function prose(text) {
  return (text || "").split(/(`[^`]+`)/).map((part) => (part.startsWith("`") && part.endsWith("`") && part.length > 1 ? el("code", {}, part.slice(1, -1)) : part));
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
    return [schema.format ? `${type} (${schema.format})` : type];
  });
  if (words.length === 0) return ["anything"];
  return types.includes("null") ? [...words, ", or null"] : words;
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

function table(heads, rows) {
  return el("div", { class: "wide", tabIndex: 0 }, el("table", {},
    el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell) => el("td", {}, cell)))))));
}

function body(title, content, schemas) {
  return Object.entries(content || {}).flatMap(([kind, media]) => {
    const parts = [el("h3", {}, `${title} `, el("code", {}, kind), " ", media.schema ? typeOf(media.schema) : null)];
    if (kind.includes("json") && media.schema) parts.push(el("pre", { tabIndex: 0 }, JSON.stringify(media.example ?? example(media.schema, schemas), null, 2)));
    return parts;
  });
}

function operation(path, method, spec, schemas) {
  const scopes = (spec.security || []).flatMap((entry) => Object.values(entry).flat());
  const parts = [];
  if (spec.description) parts.push(...spec.description.split("\n\n").map((text) => el("p", {}, prose(text))));
  const key = scopes.length ? ["A key with the scope ", ...scopes.flatMap((scope, index) => [index ? " or " : "", el("code", {}, scope)]), "."] : ["Needs no key."];
  parts.push(el("p", { class: "soft small" }, key));
  if (spec.parameters?.length) {
    parts.push(el("h3", {}, "Parameters"), table(["Name", "In", "Type", "Meaning"], spec.parameters.map((parameter) => [
      [el("code", {}, parameter.name), parameter.required ? " *" : ""], parameter.in, typeOf(parameter.schema), prose(parameter.description)])));
  }
  if (spec.requestBody) parts.push(...body("Body", spec.requestBody.content, schemas));
  parts.push(el("h3", {}, "Answers"), table(["Status", "Body", "Meaning"], Object.entries(spec.responses || {}).map(([status, response]) => [
    el("code", {}, status), Object.values(response.content || {}).slice(0, 1).flatMap((media) => typeOf(media.schema)), prose(response.description)])));
  const good = Object.entries(spec.responses || {}).find(([status]) => status.startsWith("2"));
  if (good) parts.push(...body("Example answer", good[1].content, schemas));
  return el("details", { id: anchor(`${method} ${path}`) },
    el("summary", {}, el("span", { class: "method" }, method.toUpperCase()), el("code", {}, path), el("span", { class: "soft" }, spec.summary || "")), parts);
}

function schemaEntry(name, schema) {
  const parts = [];
  if (schema.description) parts.push(el("p", {}, prose(schema.description)));
  const members = [schema, ...(schema.allOf || [])].filter((part) => part.properties);
  const rows = members.flatMap((part) => Object.entries(part.properties).map(([key, value]) => [
    [el("code", {}, key), (part.required || []).includes(key) ? " *" : ""], typeOf(value), prose(value.description)]));
  if (rows.length) parts.push(table(["Field", "Type", "Meaning"], rows));
  else parts.push(el("p", {}, typeOf(schema)));
  for (const choice of schema.oneOf || []) if (choice.description) parts.push(el("p", { class: "soft small" }, typeOf(choice), " ", prose(choice.description)));
  return el("details", { id: `schema-${name}` }, el("summary", {}, el("code", {}, name)), parts);
}

function render(document_) {
  const schemas = document_.components?.schemas || {};
  const groups = new Map((document_.tags || []).map((tag) => [tag.name, { about: tag.description, items: [] }]));
  for (const [path, item] of Object.entries(document_.paths || {})) {
    for (const method of METHODS.filter((name) => item[name] && !(name === "head" && item.get))) {
      const tag = item[method].tags?.[0] || "other";
      if (!groups.has(tag)) groups.set(tag, { items: [] });
      groups.get(tag).items.push(operation(path, method, item[method], schemas));
    }
  }
  const shown = [...groups].filter(([, group]) => group.items.length);
  const names = Object.keys(schemas).sort();
  document.getElementById("reference").replaceChildren(
    el("h1", {}, `${document_.info?.title || "API"} API`),
    el("p", {}, prose(document_.info?.description)),
    el("p", { class: "soft small" }, `Version ${document_.info?.version || "?"}. Fields and parameters with * are required.`),
    el("ul", { class: "toc" }, [...shown.map(([name]) => name), "schemas", "problems"].map((name) => el("li", {}, el("a", { href: `#${anchor(name)}` }, name)))),
    ...shown.flatMap(([name, group]) => [el("h2", { id: anchor(name) }, name), group.about ? el("p", { class: "soft" }, group.about) : null, ...group.items].filter(Boolean)),
    el("h2", { id: "schemas" }, "schemas"),
    ...names.map((name) => schemaEntry(name, schemas[name])));
  reveal();
}

/** Opens what the address points to. */
function reveal() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.tagName === "DETAILS") target.open = true;
  target.scrollIntoView();
}

window.addEventListener("hashchange", reveal);
fetch("/openapi.json")
  .then((response) => response.json())
  .then(render)
  .catch(() => document.getElementById("reference").replaceChildren(el("p", {}, "openapi.json could not be read. Load the page again.")));
