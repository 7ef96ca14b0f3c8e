import QRCode from "qrcode-svg";

/** Light modules around the code, as ISO/IEC 18004 asks for. */
const QUIET_ZONE = 4;

/**
 * A QR code (level M, byte mode) as SVG: one path of whole units, so that it is crisp at any size, without width, height or
 * style attributes, so that the page decides its size and a strict CSP lets it through.
 *
 * The package makes the modules and this draws them. Its own drawing is mirrored unless told otherwise, styles itself inline
 * and spends a closed square on each module; runs of modules take less than a third of that text.
 */
export function drawCode(text: string): string {
  const { qrcode } = new QRCode({ content: text, ecl: "M" });
  const moduleCount = qrcode.getModuleCount();
  let path = "";
  for (let row = 0; row < moduleCount; row += 1) {
    for (let start = 0; start < moduleCount; start += 1) {
      let end = start;
      while (end < moduleCount && qrcode.isDark(row, end)) end += 1;
      if (end === start) continue;
      path += `M${start + QUIET_ZONE} ${row + QUIET_ZONE}h${end - start}v1h-${end - start}z`;
      start = end;
    }
  }
  const size = moduleCount + 2 * QUIET_ZONE;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges" role="img">` +
    `<title>Ticket code</title><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path fill="#000" d="${path}"/></svg>`
  );
}
