import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EVENT_TYPES, findUrlProblem } from "#domain/webhook-endpoint";

const SERVICE = "https://tickets.example.com";
const OWN_MACHINE = "http://localhost:8787";

describe("events are sent to", () => {
  it.each([
    "https://hooks.example.org",
    "https://hooks.example.org:8443/tickets?key=value",
    "https://xn--bcher-kva.example/hook",
    "https://10.example.org/hook",
    "https://hooks.example.org:443/hook",
    "https://hooks.example.org:1024/hook",
    "https://hooks.example.org:65535/hook",
    "https://hooks.example.org./hook",
  ])("%s", (url) => {
    expect(findUrlProblem(url, SERVICE)).toBeUndefined();
    expect(findUrlProblem(url, OWN_MACHINE)).toBeUndefined();
  });

  it.each(["http://localhost:9000/hook", "http://127.0.0.1:9000", "http://[::1]:9000", "https://localhost:9000"])(
    "%s only by a service that itself runs there",
    (url) => {
      expect(findUrlProblem(url, OWN_MACHINE)).toBeUndefined();
      expect(findUrlProblem(url, SERVICE)).toBeDefined();
      expect(findUrlProblem(url, "https://localhost:8787")).toBeDefined();
      expect(findUrlProblem(url, "http://tickets.example.com")).toBeDefined();
    },
  );
});

describe("events are never sent to", () => {
  it.each([
    ["http, where everyone on the way reads them", "http://hooks.example.org", "not_https"],
    ["another protocol", "ftp://hooks.example.org", "not_https"],
    ["a script", "javascript:alert(1)", "not_https"],
    ["what is no URL", "hooks.example.org", "not_https"],
    ["a URL with a password", "https://user:pass@hooks.example.org", "has_credentials"],
    ["a URL with a user name", "https://user@hooks.example.org", "has_credentials"],
    ["a URL whose end is never sent", "https://hooks.example.org/#secret", "has_fragment"],
    ["the service itself", `${SERVICE}/internal/orders/1`, "own_address"],
    ["the service itself with a dot at the end of its name", `${SERVICE}./`, "own_address"],
    ["the service itself on another port", `${SERVICE}:8443/`, "own_address"],
    ["the service itself with a full stop", `${SERVICE}./internal`, "own_address"],
    ["the service itself in capitals", `${SERVICE.toUpperCase()}:8443/`, "own_address"],
    ["the port of another service", "https://hooks.example.org:22", "port_not_allowed"],
    ["the port of mail", "https://hooks.example.org:25", "port_not_allowed"],
    ["the port of http", "https://hooks.example.org:80", "port_not_allowed"],
    ["no port", "https://hooks.example.org:0", "port_not_allowed"],
    ["a port just below those that are free", "https://hooks.example.org:1023", "port_not_allowed"],
    ["a port that there is not", "https://hooks.example.org:65536", "not_https"],
    ["a host that is really a password", "https://hooks.example.org:8443@127.0.0.1/", "has_credentials"],
    ["an empty user name with a password", "https://:secret@hooks.example.org/", "has_credentials"],
  ])("%s", (_, url, code) => {
    expect(findUrlProblem(url, SERVICE)).toMatchObject({ code });
  });

  it.each([
    "https://127.0.0.1/",
    "https://10.0.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://8.8.8.8/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://１２７.0.0.1/",
    "https://[::1]/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:ffff:10.0.0.1]/",
    "https://[::]/",
    "https://[::127.0.0.1]/",
    "https://[2002:7f00:1::]/",
    "https://[2606:4700:4700::1111]/",
    "https://0/",
    "https://0.0.0.0/",
    "https://017700000001/",
    "https://0x7f.0.0.0x1/",
    "https://127.0.1/",
    "https://%31%32%37.0.0.1/",
    "https://127。0。0。1/",
    "https://①②⑦.0.0.1/",
    "https://127.0.0.1\\@hooks.example.org/",
    "https://10.0.0.1..",
    "https://hooks..example.org/",
    "https://hooks.example.org../",
    "https://localhost%2e/",
    "https://intranet./",
    "https://ＬＯＣＡＬＨＯＳＴ/",
    "https://printer.local./",
    "https://metadata.google.internal./",
    "https://[64:ff9b::7f00:1]/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://hook.localhost/",
    "https://intranet/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://router.lan/",
    "https://nas.home.arpa/",
    "https://crm.corp/",
    "https://hidden.onion/",
  ])("%s, which means a machine inside some network or none", (url) => {
    expect(findUrlProblem(url, SERVICE)).toMatchObject({ code: "not_public" });
    expect(findUrlProblem(url.replace("https:", "http:"), SERVICE)).toMatchObject({ code: "not_https" });
  });

  it("a private address by a service on somebody's own machine either, but for that machine", () => {
    for (const url of ["http://192.168.1.1/", "http://example.org/", "https://10.0.0.1/", `${OWN_MACHINE}/internal`]) {
      expect(findUrlProblem(url, OWN_MACHINE), url).toBeDefined();
    }
  });
});

it("every type of event stands in the guide with what it says, and no other does", () => {
  const guide = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const table = /^\| `type` \| When \| `data` \|\n\|---\|---\|---\|\n((?:\|.*\n)+)/m.exec(guide)?.[1] ?? "";
  const told = [...table.matchAll(/^\| `([a-z._]+)` \|/gm)].map(([, type = ""]) => type);
  expect(told.toSorted()).toEqual([...EVENT_TYPES].toSorted());
});
