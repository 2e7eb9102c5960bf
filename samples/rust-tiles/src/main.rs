//! Draws patterns of tiles as SVG; palettes and pages are files that can be changed while it runs.
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tiny_http::{Header, Request, Response, Server};

mod pattern;

const STATIC: &str = "static";
const WORKERS: usize = 4;

type Answer = Response<std::io::Cursor<Vec<u8>>>;

fn answer(kind: &str, body: impl Into<Vec<u8>>) -> Answer {
    let header = Header::from_bytes("Content-Type", kind).expect("a media type is a header value");
    Response::from_data(body).with_header(header)
}

fn missing(what: &str) -> Answer {
    answer("text/plain", format!("no {what}\n")).with_status_code(404)
}

fn palette(name: &str) -> Option<Vec<String>> {
    let all = json::parse(&fs::read_to_string(Path::new(STATIC).join("palettes.json")).ok()?).ok()?;
    let colours: Vec<String> = all[name].members().filter_map(|c| c.as_str().map(str::to_string)).collect();
    (!colours.is_empty()).then_some(colours)
}

fn draw(seed: &str, query: &HashMap<&str, &str>) -> Answer {
    let Ok(seed) = seed.parse() else { return missing("such pattern") };
    let size: u32 = query.get("size").and_then(|s| s.parse().ok()).unwrap_or(8);
    let name = query.get("palette").copied().unwrap_or("clay");
    match palette(name) {
        Some(colours) => answer("image/svg+xml", pattern::svg(seed, size.clamp(1, 64), &colours)),
        None => missing(&format!("palette {name}")),
    }
}

fn file(name: &str) -> Answer {
    let path = Path::new(STATIC).join(name);
    match fs::read(&path) {
        Ok(bytes) if !name.contains("..") => answer(mime_guess::from_path(&path).first_or_octet_stream().as_ref(), bytes),
        _ => missing("such file"),
    }
}

fn route(url: &str) -> Answer {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    match path {
        "/" => file("index.html"),
        "/health" => answer("application/json", "{\"status\":\"ok\"}"),
        _ => match (path.strip_prefix("/tiles/"), path.strip_prefix("/static/")) {
            (Some(seed), _) => draw(seed, &query),
            (_, Some(name)) => file(name),
            _ => missing("such page"),
        },
    }
}

fn serve(request: Request) {
    let reply = route(request.url());
    println!("{} {} {}", request.method(), request.url(), reply.status_code().0);
    let _ = request.respond(reply);
}

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let server = Arc::new(Server::http("0.0.0.0:8000")?);
    println!("listening on {}", server.server_addr());
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let waking = Arc::clone(&server);
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            (0..WORKERS).for_each(|_| waking.unblock());
        }
    });
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let server = Arc::clone(&server);
            thread::spawn(move || server.incoming_requests().for_each(serve))
        })
        .collect();
    workers.into_iter().for_each(|worker| worker.join().expect("a worker does not panic"));
    println!("closed");
    Ok(())
}
