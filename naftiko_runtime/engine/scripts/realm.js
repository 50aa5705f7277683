// What a script finds in its realm, and what is made of its result. Runs before the script, so
// that nothing the script changes can reach what is kept here.
"use strict";
const { _naftiko_begin, _naftiko_count, _naftiko_result } = (() => {
  const { parse, stringify, rawJSON, isRawJSON } = JSON;
  const { isSafeInteger, isFinite } = Number;
  const { String, TypeError, RangeError } = globalThis;
  const call = Function.prototype.call;
  const cut = call.bind(String.prototype.slice);
  const tagOf = call.bind(Object.prototype.toString);
  const find = call.bind(RegExp.prototype.exec);
  const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/;
  const LONG_NUMBER = /[0-9][0-9.]{15}|[0-9][eE]/;
  const PLAIN = { __proto__: null };
  for (const tag of ["Object", "Array", "String", "Number", "Boolean"]) PLAIN[`[object ${tag}]`] = true;

  // Nothing here waits, shares memory or compiles machine code.
  const names = ["setTimeout", "clearTimeout", "__timer_manager", "Atomics", "SharedArrayBuffer", "WebAssembly"];
  for (const name of names) {
    if (!Reflect.deleteProperty(globalThis, name)) globalThis[name] = undefined;
  }
  globalThis.print = () => {};

  let left = 0;

  // The significant digits and the power of ten of a number's text.
  const digits = (text) => {
    const [, sign, whole, fraction = "", exponent = "0"] = find(NUMBER, text);
    const all = (whole + fraction).replace(/^0+/, "");
    const significant = all.replace(/0+$/, "");
    const power = Number(exponent) - fraction.length + all.length - significant.length;
    return significant === "" ? "0" : `${sign}${significant}e${power}`;
  };

  // A number that no JavaScript number stands for is a BigInt, or keeps its text.
  const exact = (key, value, { source }) => {
    if (typeof value !== "number" || String(value) === source && isSafeInteger(value)) return value;
    if (/^-?\d+$/.test(source)) return isSafeInteger(value) ? value : BigInt(source);
    return isFinite(value) && digits(String(value)) === digits(source) ? value : rawJSON(source);
  };

  const fit = (key, value) => {
    const what = typeof value;
    if (what === "bigint") return rawJSON(String(value));
    if (what === "number" && !isFinite(value)) throw new TypeError(`result holds ${value}${at(key)}`);
    if (what === "function" || what === "symbol") throw new TypeError(`result holds a ${what}${at(key)}`);
    if (what === "object" && value !== null && !isRawJSON(value)) {
      const tag = tagOf(value);
      if (!PLAIN[tag]) throw new TypeError(`result holds a ${cut(tag, 8, -1)}${at(key)}`);
    }
    return value;
  };
  const at = (key) => key === "" ? "" : ` at "${key}"`;

  return {
    _naftiko_begin(statements, text) {
      left = statements;
      globalThis.context = LONG_NUMBER.test(text) ? parse(text, exact) : parse(text);
      globalThis.result = undefined;
    },
    _naftiko_count() {
      if (left-- <= 0) throw new RangeError("_naftiko_statements");
    },
    _naftiko_result(value) {
      return value === undefined ? undefined : stringify(value, fit);
    },
  };
})();
//# sourceURL=naftiko:realm
