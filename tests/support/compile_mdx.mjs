// Compiles, runs and renders MDX: compile_mdx.mjs TOOLS FOLDER prints {file: {html, data}} or {file: {error}} as JSON.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [tools, folder] = process.argv.slice(2);
const { evaluate } = await import(pathToFileURL(join(tools, "node_modules/@mdx-js/mdx/index.js")));
const matter = createRequire(join(tools, "package.json"))("gray-matter");

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const show = (child) => {
  if (Array.isArray(child)) return child.map(show).join("");
  if (child === null || child === undefined || typeof child === "boolean") return "";
  return child.html ?? escape(String(child));
};
const Fragment = Symbol("fragment");
const jsx = (type, { children, ...rest }) => {
  if (typeof type === "function") return type({ children, ...rest });
  return { html: type === Fragment ? show(children) : `<${type}>${show(children)}</${type}>` };
};

const pages = {};
for (const name of readdirSync(folder)) {
  try {
    const { content, data } = matter(readFileSync(join(folder, name), "utf8"));
    const module = await evaluate(content, { Fragment, jsx, jsxs: jsx });
    pages[name] = { html: show(module.default({})), data };
  } catch (error) {
    pages[name] = { error: String(error) };
  }
}
console.log(JSON.stringify(pages));
