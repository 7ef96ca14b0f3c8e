import { describe, expect, it } from "vitest";
import { networkOf } from "#http/middleware/network-of";

describe("whom an address counts against", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:db8::9", "2001:db8:0:0::/64"],
    ["2001:db8:1::3:4:5:6", "2001:db8:1:0::/64"],
    ["::1", "0:0:0:0::/64"],
  ])("%s counts as %s: a client with all addresses of its network is one client", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
