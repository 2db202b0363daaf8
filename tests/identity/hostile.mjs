// An OpenID provider that lies, as no certified one can be made to. Each way of lying is an issuer of its own: the first
// part of the path. »honest« does not lie: where it lets somebody in, what refuses the others is the lie alone.
//
// node hostile.mjs        Says »ready <address>« when it answers. POST /rotate gives it another signing key; GET /held tells
//                         how many requests it does not answer.
import { createHash, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { SignJWT, UnsecuredJWT } from "jose";

const CLIENT = "kundwebb";
const SECRET = "a secret of the tests, long enough for it";
const nonces = new Map();
let signing = newKey();
let published = signing;
let held = 0;

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const address = `http://127.0.0.1:${server.address().port}`;
console.log(`ready ${address}`);

async function answer(request, response) {
  const url = new URL(request.url, address);
  const [, way, ...rest] = url.pathname.split("/");
  if (way === "rotate") {
    signing = published = newKey();
    return json(response, {});
  }
  if (way === "held") return json(response, { held });
  switch (rest.join("/")) {
    case ".well-known/openid-configuration": return describe(way, response);
    case "authorize": return authorize(way, url.searchParams, response);
    case "token": return token(way, await form(request), response);
    case "jwks": return json(response, { keys: [publicKey(published)] });
    default: response.writeHead(404).end();
  }
}

function describe(way, response) {
  if (way === "slow") return hold(response);
  if (way === "broken") return response.writeHead(500).end("broken");
  if (way === "nonsense") return json(response, { issuer: 5 });
  if (way === "large") return json(response, { issuer: "x".repeat(5_000_000) });
  if (way === "elsewhere") return response.writeHead(302, { location: `${address}/honest/.well-known/openid-configuration` }).end();
  const issuer = way === "another" ? `${address}/honest` : `${address}/${way}`;
  json(response, {
    issuer,
    authorization_endpoint: `${address}/${way}/authorize`,
    token_endpoint: `${address}/${way}/token`,
    jwks_uri: `${address}/${way}/jwks`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    // What it offers is not what we allow.
    id_token_signing_alg_values_supported: ["RS256", "HS256", "none"],
    authorization_response_iss_parameter_supported: true,
  });
}

function authorize(way, query, response) {
  const back = new URL(query.get("redirect_uri"));
  const code = randomUUID();
  nonces.set(code, query.get("nonce"));
  if (way === "denied") back.searchParams.set("error", "access_denied");
  else if (way !== "no-code") back.searchParams.set("code", code);
  if (way !== "no-state") back.searchParams.set("state", way === "wrong-state" ? randomUUID() : query.get("state"));
  if (way !== "no-iss") back.searchParams.set("iss", way === "mixed-up" ? `${address}/honest` : `${address}/${way}`);
  response.writeHead(302, { location: back.href }).end();
}

async function token(way, fields, response) {
  if (way === "slow-token") return hold(response);
  if (way === "refused") return json(response, { error: "invalid_grant" }, 400);
  if (way === "away") return response.writeHead(503).end();
  if (way === "html") return response.writeHead(200, { "content-type": "text/html" }).end("<p>Logga in</p>");
  const answer = { access_token: "access", token_type: "Bearer", id_token: await idToken(way, nonces.get(fields.get("code"))) };
  if (way === "no-token") delete answer.id_token;
  json(response, answer);
}

async function idToken(way, nonce) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: `${address}/${way}`, aud: CLIENT, sub: "mallory", iat: now, exp: now + 300, nonce, name: "Mallory", org: "4021000007",
    at_hash: createHash("sha256").update("access").digest().subarray(0, 16).toString("base64url"),
    ...LIES[way]?.(now),
  };
  for (const name of Object.keys(claims)) if (claims[name] === undefined) delete claims[name];
  const header = { alg: "RS256", kid: signing.kid };
  switch (way) {
    case "alg-none": return new UnsecuredJWT(claims).encode();
    case "secret": return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(Buffer.from(SECRET));
    case "public-key-as-secret": {
      const pem = signing.publicKey.export({ format: "pem", type: "spki" });
      return new SignJWT(claims).setProtectedHeader({ ...header, alg: "HS256" }).sign(Buffer.from(pem));
    }
    case "another-key": return new SignJWT(claims).setProtectedHeader(header).sign(newKey().privateKey);
    case "unknown-key": return new SignJWT(claims).setProtectedHeader({ ...header, kid: "unknown" }).sign(signing.privateKey);
    case "changed": {
      const [head, , signature] = (await new SignJWT(claims).setProtectedHeader(header).sign(signing.privateKey)).split(".");
      const changed = Buffer.from(JSON.stringify({ ...claims, sub: "anna" })).toString("base64url");
      return [head, changed, signature].join(".");
    }
    default: return new SignJWT(claims).setProtectedHeader(header).sign(signing.privateKey);
  }
}

const LIES = {
  // Without it nothing but the algorithm is wrong.
  "alg-none": () => ({ at_hash: undefined }),
  "secret": () => ({ at_hash: undefined }),
  "public-key-as-secret": () => ({ at_hash: undefined }),
  "wrong-audience": () => ({ aud: "somebody" }),
  "two-audiences": () => ({ aud: [CLIENT, "somebody"] }),
  "no-audience": () => ({ aud: undefined }),
  "wrong-party": () => ({ azp: "somebody" }),
  "wrong-issuer": () => ({ iss: "https://login.example" }),
  "wrong-nonce": () => ({ nonce: randomUUID() }),
  "no-nonce": () => ({ nonce: undefined }),
  "expired": (now) => ({ iat: now - 400, exp: now - 120 }),
  "from-the-future": (now) => ({ iat: now + 120, exp: now + 400 }),
  "old": (now) => ({ iat: now - 3600 }),
  "no-expiry": () => ({ exp: undefined }),
  "wrong-access-token": () => ({ at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }),
  "nobody": () => ({ sub: undefined }),
  "of-another-employer": () => ({ org: "4021010006" }),
};

function newKey() {
  return { ...generateKeyPairSync("rsa", { modulusLength: 2048 }), kid: randomUUID() };
}

function publicKey({ publicKey: key, kid }) {
  return { ...key.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" };
}

function hold(response) {
  held += 1;
  response.on("close", () => { held -= 1; });
}

function json(response, body, status = 200) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function form(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString());
}
