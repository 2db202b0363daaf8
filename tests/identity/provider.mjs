// A real OpenID provider (the certified oidc-provider) with persons of its own, and systems that prove who they are by a key.
//
// node provider.mjs '{"port":0,"redirect":"…","home":"…","keyFile":"…"}'     Says »ready <issuer>« when it answers. Its signing
//                                                        key is another at every start; the client's is kept in the file.
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const settings = JSON.parse(process.argv[2]);
const PERSONS = {
  anna: { name: "Anna Exempelsson", org: "402100-0007", email: "anna@exempelverket.example", email_verified: true },
  cia: { name: "Cia Exempelsson", org: "402100-0007", email: "cia@exempelverket.example", email_verified: false },
  dag: { name: "Dag Dubbel", org: ["4021000007", "4021010006"], email: "dag@exempel.example", email_verified: true },
  eva: { name: "Eva Prov", org: "4021010006", email: "eva@provmyndigheten.example", email_verified: true },
  olle: { name: "Olle Handläggare", roles: ["kw-lon"], email: "olle@centret.example", email_verified: true },
};

const server = createServer();
await new Promise((listening) => server.listen(settings.port, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [
    client("kundwebb", { client_secret: "a secret of the tests, long enough for it", token_endpoint_auth_method: "client_secret_basic" }),
    client("kundwebb-key", { token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [clientKey()] } }),
    system("agresso"),
    system("primula"),
    system("stranger"),
  ],
  claims: { openid: ["sub"], profile: ["name", "org", "roles"], email: ["email", "email_verified"] },
  // What a person is called stands in the token itself.
  conformIdTokenClaims: false,
  features: {
    clientCredentials: { enabled: true },
    // Of whatever is asked for, systems get access tokens of the kind of RFC 9068.
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: "case.read case.write event.read webhook.manage",
        audience: resource,
        accessTokenFormat: "jwt",
        accessTokenTTL: 600,
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
  cookies: { keys: [randomUUID()] },
  jwks: { keys: [signingKey()] },
  // Nobody is asked for consent: it is an employer's own login.
  async loadExistingGrant(context) {
    const { client, provider, session } = context.oidc;
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...PERSONS[id] }) }),
});
server.on("request", provider.callback());
console.log(`ready ${issuer}`);

function client(client_id, more) {
  return {
    client_id,
    redirect_uris: [settings.redirect],
    post_logout_redirect_uris: [settings.home],
    grant_types: ["authorization_code"],
    response_types: ["code"],
    ...more,
  };
}

function system(client_id) {
  return {
    client_id,
    redirect_uris: [],
    grant_types: ["client_credentials"],
    response_types: [],
    token_endpoint_auth_method: "private_key_jwt",
    jwks: { keys: [clientKey()] },
  };
}

function signingKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
}

function clientKey() {
  if (!existsSync(settings.keyFile)) {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(settings.keyFile, privateKey.export({ format: "pem", type: "pkcs8" }));
  }
  const publicKey = createPublicKey(createPrivateKey(readFileSync(settings.keyFile)));
  return { ...publicKey.export({ format: "jwk" }), kid: "kundwebb-1", use: "sig", alg: "ES256" };
}
