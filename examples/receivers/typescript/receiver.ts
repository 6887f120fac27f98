/**
 * Receives webhooks of OpenUPR: verifies them, keeps each once, answers at once, and works on them afterwards.
 *
 *     npm install && npx tsc
 *     UPR_WEBHOOK_SECRET=whsec_… node receiver.js
 *
 * `INBOX` names the folder that events are kept in, `PORT` where it listens. A database with a unique key on the id of
 * the event does as well; files need no library.
 */
import { randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { Webhook } from "standardwebhooks";

interface Event {
  id: string;
  seq: number;
  type: string;
  subject: { id: string; url: string };
  data: Record<string, unknown>;
  changed: Record<string, [unknown, unknown]>;
}

const LARGEST_BODY = 10_000_000;
const webhook = new Webhook(process.env.UPR_WEBHOOK_SECRET ?? "");
const inbox = process.env.INBOX ?? "inbox";

/** Yours. Here it takes as long as it takes: the webhook has been answered. */
async function work(event: Event): Promise<void> {
  console.log(event.seq, event.type, event.subject.id, JSON.stringify(event.changed));
}

/** The events that arrived, each once, in files that outlive a crash. Those that were worked on are left empty. */
class Inbox {
  private waiting: Event[] = [];
  private working = Promise.resolve();

  /** Go on with what was kept, but not worked on, before the program ended. */
  async open(): Promise<void> {
    for (const folder of ["arriving", "events", "records"]) await mkdir(`${inbox}/${folder}`, { recursive: true });
    for (const name of await readdir(`${inbox}/events`)) {
      const kept = await readFile(`${inbox}/events/${name}`, "utf8");
      if (kept) this.add(JSON.parse(kept) as Event);
    }
  }

  /** Keep an event; one that is there already changes nothing. */
  async put(event: Event): Promise<void> {
    const arriving = `${inbox}/arriving/${randomUUID()}`;
    const file = await open(arriving, "wx");
    await file.writeFile(JSON.stringify(event));
    await file.sync();
    await file.close();
    try {
      await link(arriving, `${inbox}/events/${event.id}`); // all of it or nothing, and only where there is none
      this.add(event);
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code !== "EEXIST") throw fault;
    } finally {
      await rm(arriving);
    }
  }

  private add(event: Event): void {
    this.waiting.push(event);
    this.working = this.working.then(() => this.workOnOldest()); // what fails ends the program
  }

  private async workOnOldest(): Promise<void> {
    this.waiting.sort((one, other) => one.seq - other.seq);
    const event = this.waiting.shift()!;
    const newest = `${inbox}/records/${encodeURIComponent(event.subject.id)}`;
    const done = Number(await readFile(newest, "utf8").catch(() => "0"));
    if (event.seq >= done) {
      await work(event); // a newer one that came earlier has said all there is
      await writeFile(newest, String(event.seq));
    }
    await truncate(`${inbox}/events/${event.id}`);
  }
}

/** 204 when an event is kept, 400 for what is none of ours. */
async function receive(request: IncomingMessage, kept: Inbox): Promise<number> {
  if (request.method !== "POST") return 405;
  let event: Event;
  try {
    const body = await read(request); // as it came, byte by byte
    event = (webhook.verify(body, request.headers as Record<string, string>) as { data: Event }).data;
  } catch {
    return 400;
  }
  await kept.put(event);
  return 204;
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > LARGEST_BODY) throw new Error("too long");
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const kept = new Inbox();
await kept.open();
createServer((request, response) => {
  receive(request, kept).then(
    (status) => response.writeHead(status).end(),
    () => response.writeHead(500).end(), // without a 2xx it is sent again
  );
}).listen(Number(process.env.PORT ?? "9000"), "127.0.0.1");
