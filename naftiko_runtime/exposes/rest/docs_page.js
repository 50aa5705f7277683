"use strict";

const quoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

function request(form) {
  let path = form.dataset.path;
  const query = [];
  const headers = {};
  const cookies = [];
  for (const input of form.querySelectorAll("input")) {
    const { name, place, type } = input.dataset;
    if (place === "path") {
      path = path.replace("{" + name + "}", () => encodeURIComponent(input.value) || "{" + name + "}");
    } else if (input.value !== "") {
      if (place === "query") {
        const values = type === "array" ? input.value.split(",") : [input.value];
        for (const value of values) query.push(encodeURIComponent(name) + "=" + encodeURIComponent(value));
      } else if (place === "header") {
        headers[name] = input.value;
      } else {
        cookies.push(name + "=" + input.value);
      }
    }
  }
  const body = form.querySelector("textarea")?.value.trim() || undefined;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return { method: form.dataset.method, url: path + (query.length ? "?" + query.join("&") : ""), headers, cookies, body };
}

function curl(call) {
  const words = ["curl"];
  if (call.method !== "GET") words.push("-X", call.method);
  words.push(quoted(location.origin + call.url));
  for (const [name, value] of Object.entries(call.headers)) words.push("-H", quoted(name + ": " + value));
  if (call.cookies.length) words.push("-b", quoted(call.cookies.join("; ")));
  if (call.body !== undefined) words.push("--data-raw", quoted(call.body));
  return words.join(" ");
}

function readable(text) {
  // Digits of large numbers would be lost by JSON.parse, so only the white space is changed.
  let depth = 0;
  let out = "";
  const turn = () => "\n" + "  ".repeat(depth);
  for (const piece of text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? []) {
    if (piece === "{" || piece === "[") { depth += 1; out += piece + turn(); }
    else if (piece === "}" || piece === "]") { depth -= 1; out += turn() + piece; }
    else if (piece === ",") out += piece + turn();
    else if (piece === ":") out += ": ";
    else out += piece;
  }
  return out;
}

async function send(form, output) {
  const call = request(form);
  if (call.method !== "GET" && !confirm("This makes a real call. Send it?")) return;
  output.hidden = false;
  output.textContent = "…";
  try {
    const { method, headers, body } = call;
    const answer = await fetch(call.url, { method, headers, body });
    const text = await answer.text();
    const json = (answer.headers.get("content-type") ?? "").includes("json");
    output.textContent = answer.status + " " + answer.statusText + "\n\n" + (json ? readable(text) : text);
  } catch (error) {
    output.textContent = String(error);
  }
}

for (const form of document.querySelectorAll("form")) {
  const line = form.querySelector(".curl");
  const show = () => { line.textContent = curl(request(form)); };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, form.querySelector("output pre"));
  });
  show();
}

document.getElementById("filter").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/);
  for (const operation of document.querySelectorAll("details.operation")) {
    const text = operation.dataset.text;
    operation.hidden = !words.every((word) => text.includes(word));
  }
  for (const section of document.querySelectorAll("section")) {
    section.hidden = !section.querySelector("details.operation:not([hidden])");
  }
});
