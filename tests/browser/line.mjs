// A line between the browser and the program that breaks when it is told to.
import { connect, createServer } from "node:net";

export class Line {
  // What breaks, if anything does: a request that begins so is cut after so many bytes, or loses its answer, or is held.
  breaking = null;
  #holding = [];

  // `target`: the address of the program, wherever that is now.
  constructor(target) {
    this.target = target;
    this.server = createServer((browserSide) => this.#carry(browserSide));
  }

  // Its address.
  async open() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  close() {
    this.server.close();
    for (const drop of this.#holding) drop();
  }

  // The next such request is held until it is released, or comes nowhere: dropped, or for ever. It is taken when it has come
  // as far as here, and over when it has its answer, also when nobody waits for that.
  held(request) {
    let release;
    let drop;
    const until = new Promise((resolve, reject) => { [release, drop] = [resolve, reject]; });
    until.catch(() => { /* Also where it never came. */ });
    this.#holding.push(drop);
    let over;
    const taken = new Promise((takes) => {
      over = new Promise((answered) => { this.breaking = { request, until, takes, answered }; });
    });
    return { taken, over, release, drop };
  }

  #carry(browserSide) {
    const { hostname, port } = new URL(this.target);
    const programSide = connect(Number(port), hostname);
    let sent = -1;
    let held = null;
    const end = () => {
      browserSide.destroy();
      if (!held) programSide.destroy();
    };
    for (const side of [browserSide, programSide]) side.on("error", end).on("close", end);
    browserSide.on("data", (piece) => {
      const { breaking } = this;
      if (breaking && piece.toString("latin1", 0, 100).match(new RegExp(`^${breaking.request}[ ?]`))) sent = 0;
      else if (piece.toString("latin1", 0, 10).match(/^(GET|POST) \//)) sent = -1;
      if (sent === 0 && breaking.until) {
        [held, this.breaking] = [breaking, null];
        held.takes();
      }
      if (sent >= 0) sent += piece.length;
      if (this.breaking && sent > (breaking.after ?? Infinity)) end();
      else if (held) held.until.then(() => programSide.write(piece), () => programSide.destroy());
      else programSide.write(piece);
    });
    programSide.on("data", (piece) => {
      held?.answered?.();
      held = null;
      if (browserSide.destroyed || (this.breaking?.answer && sent >= 0)) end();
      else browserSide.write(piece);
    });
  }
}

// What was held goes on, and has its answer.
export async function comes({ over, release }) {
  release();
  await over;
}
