// An authorization server (RFC 8414) that gives access tokens for the asking, good ones and others that no real server would
// give. »honest« and a few more are good, so that what refuses the others is the lie alone.
//
// node authority.mjs        Says »ready <address>« when it answers. GET /token?way=…&client=…&scope=… gives a token; POST /rotate
//                           gives it other keys; POST /away and /back: whether it answers; GET /asked tells how often its keys
//                           were fetched.
import { constants, createHmac, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";

const KINDS = {
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
};
let keys = newKeys();
const own = newKey("RS256");
let away = false;
let asked = 0;

const server = createServer((request, response) => {
  const url = new URL(request.url, address);
  switch (url.pathname) {
    case "/rotate": keys = newKeys(); return response.end();
    case "/away": away = true; return response.end();
    case "/back": away = false; return response.end();
    case "/asked": return response.end(String(asked));
    case "/token": return response.end(token(url.searchParams));
  }
  if (away) return response.writeHead(503).end();
  switch (url.pathname) {
    case "/.well-known/oauth-authorization-server": return json(response, { issuer: address, jwks_uri: `${address}/jwks` });
    case "/jwks": asked += 1; return json(response, { keys: published() });
    // Where a token says that its own key is.
    case "/own": return json(response, { keys: [publicKey(own)] });
    default: return response.writeHead(404).end();
  }
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const address = `http://127.0.0.1:${server.address().port}`;
console.log(`ready ${address}`);

function published() {
  const strange = { kty: "strange", kid: "strange" };
  const shared = { kty: "oct", kid: "shared", k: Buffer.from("a secret that is published").toString("base64url"), alg: "HS256" };
  const enciphering = { ...publicKey(keys.enciphering), use: "enc" };
  return [strange, shared, enciphering, publicKey(keys.RS256), publicKey(keys.ES256), publicKey(keys.EdDSA)];
}

function token(query) {
  const way = query.get("way");
  const now = Math.floor(Date.now() / 1000);
  const client = query.get("client") ?? "agresso";
  const claims = {
    iss: address, aud: query.get("audience"), sub: client, client_id: client, iat: now, exp: now + 300, jti: randomUUID(),
    scope: query.get("scope") ?? "case.read case.write event.read", ...CLAIMS[way]?.(now, query),
  };
  const head = { alg: "RS256", typ: "at+jwt", kid: keys.RS256.kid, ...HEADS[way]?.() };
  const texts = [JSON.stringify(head), JSON.stringify(claims)];
  if (way === "claim-twice") texts[1] = texts[1].replace("{", `{"client_id":"somebody",`);
  if (way === "audience-twice") texts[1] = texts[1].replace("{", `{"aud":"somebody",`);
  if (way === "algorithm-twice") texts[0] = texts[0].replace("{", `{"alg":"none",`);
  if (way === "no-object") texts[1] = "[]";
  const signed = signature(way, head.alg, texts.map(encoded).join("."));
  const parts = [...texts.map(encoded), signed];
  switch (way) {
    case "changed": return [parts[0], encoded(JSON.stringify({ ...claims, scope: "case.read case.write" })), parts[2]].join(".");
    case "cut": return [parts[0], parts[1], parts[2].slice(0, -8)].join(".");
    case "unsigned": return [parts[0], parts[1], ""].join(".");
    case "two-parts": return parts.slice(0, 2).join(".");
    case "four-parts": return [...parts, parts[2]].join(".");
    case "five-parts": return [parts[0], ...parts, parts[2]].join(".");
    default: return parts.join(".");
  }
}

function signature(way, algorithm, data) {
  const bytes = Buffer.from(data);
  if (algorithm === "none") return "";
  if (algorithm === "HS256") {
    const pem = keys.RS256.publicKey.export({ format: "pem", type: "spki" });
    return createHmac("sha256", way === "shared" ? "a secret that is published" : pem).update(bytes).digest("base64url");
  }
  const key = { "own-jwk": own, "own-jku": own, "own-x5u": own, "own-key": own, "unknown-key": own, "unnamed-other-key": own,
    "for-enciphering": keys.enciphering }[way] ?? keys.RS256;
  switch (algorithm) {
    case "ES256": return sign("sha256", bytes, { key: keys.ES256.privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");
    case "EdDSA": return sign(null, bytes, keys.EdDSA.privateKey).toString("base64url");
    case "RS512": return sign("sha512", bytes, key.privateKey).toString("base64url");
    case "PS256": {
      const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
      return sign("sha256", bytes, { key: keys.RS256.privateKey, ...padding }).toString("base64url");
    }
    default: return sign("sha256", bytes, key.privateKey).toString("base64url");
  }
}

const HEADS = {
  "es256": () => ({ alg: "ES256", kid: keys.ES256.kid }),
  "eddsa": () => ({ alg: "EdDSA", kid: keys.EdDSA.kid }),
  "no-kid": () => ({ kid: undefined }),
  "whole-type": () => ({ typ: "application/AT+JWT" }),
  "foreign-jku": () => ({ jku: `${address}/own`, x5u: `${address}/own`, jwk: publicKey(own) }),
  "public-key-as-secret": () => ({ alg: "HS256" }),
  "shared": () => ({ alg: "HS256", kid: "shared" }),
  "none": () => ({ alg: "none" }),
  "rs512": () => ({ alg: "RS512" }),
  // The key says that it is for RS256.
  "ps256": () => ({ alg: "PS256" }),
  "key-of-another-kind": () => ({ alg: "RS256", kid: keys.ES256.kid }),
  "wrong-type": () => ({ typ: "JWT" }),
  "no-type": () => ({ typ: undefined }),
  "critical": () => ({ crit: ["exp"] }),
  "critical-nothing": () => ({ crit: [] }),
  "unknown-key": () => ({ kid: "unknown" }),
  "unnamed-other-key": () => ({ kid: undefined }),
  "own-jwk": () => ({ jwk: publicKey(own), kid: own.kid }),
  "own-jku": () => ({ jku: `${address}/own`, kid: own.kid }),
  "own-x5u": () => ({ x5u: `${address}/own`, kid: own.kid }),
  "for-enciphering": () => ({ kid: keys.enciphering.kid }),
};

const CLAIMS = {
  "audiences": (_, query) => ({ aud: ["somebody", query.get("audience")] }),
  "scp": () => ({ scope: undefined, scp: ["case.read", "case.write"] }),
  "a-minute-late": (now) => ({ iat: now - 300, exp: now - 30 }),
  "wrong-audience": () => ({ aud: "somebody" }),
  "no-audience": () => ({ aud: undefined }),
  "wrong-issuer": () => ({ iss: "https://tokens.example" }),
  "issuer-of-ours": () => ({ iss: "kundwebb" }),
  "no-issuer": () => ({ iss: undefined }),
  "expired": (now) => ({ iat: now - 400, exp: now - 120 }),
  "expiry-in-words": (now) => ({ exp: String(now + 300) }),
  "no-expiry": () => ({ exp: undefined }),
  "not-yet": (now) => ({ nbf: now + 90 }),
  "from-the-future": (now) => ({ iat: now + 90 }),
  "no-issue-time": () => ({ iat: undefined }),
  "no-id": () => ({ jti: undefined }),
  "no-client": () => ({ client_id: undefined }),
  "of-a-person": () => ({ sub: "anna" }),
  "another-client": () => ({ client_id: "somebody", sub: "somebody" }),
  "huge": () => ({ more: "x".repeat(20_000) }),
};

function newKeys() {
  const made = Object.keys(KINDS).map((kind) => [kind, newKey(kind)]);
  return { ...Object.fromEntries(made), enciphering: newKey("RS256") };
}

function newKey(kind) {
  return { ...KINDS[kind](), kid: randomUUID(), alg: kind };
}

function publicKey({ publicKey: key, kid, alg }) {
  return { ...key.export({ format: "jwk" }), kid, use: "sig", alg };
}

function encoded(text) {
  return Buffer.from(text).toString("base64url");
}

function json(response, body) {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}
