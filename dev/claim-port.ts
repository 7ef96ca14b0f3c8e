import { createServer } from "node:net";

/** A port that something else listens on. Its message says what to do. */
export class PortInUseError extends Error {
  override readonly name = "PortInUseError";
}

/** Makes sure that nobody listens on a port of 127.0.0.1; 0 finds a free one. @throws PortInUseError */
export async function claimPort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === "EADDRINUSE";
      reject(isTaken ? new PortInUseError(`port ${port} is in use: stop what listens there, or set another PORT`) : error);
    });
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      const claimed = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolve(claimed));
    });
  });
}
