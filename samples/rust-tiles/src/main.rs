//! Draws patterns of tiles as SVG; palettes and pages are files that can be changed while it runs.
use std::path::{Path, PathBuf};

use axum::extract::{Path as Part, Query};
use axum::http::{header, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use axum::Router;
use serde::Deserialize;
use tokio::signal::unix::{signal, SignalKind};

mod pattern;

const STATIC: &str = "static";

#[derive(Deserialize)]
struct Wanted {
    #[serde(default = "eight")]
    size: u32,
    #[serde(default)]
    palette: Option<String>,
}

fn eight() -> u32 {
    8
}

async fn palette(name: &str) -> Option<Vec<String>> {
    let text = tokio::fs::read(format!("{STATIC}/palettes.json")).await.ok()?;
    let all: std::collections::BTreeMap<String, Vec<String>> = serde_json::from_slice(&text).ok()?;
    all.get(name).cloned()
}

async fn draw(Part(seed): Part<u64>, Query(wanted): Query<Wanted>) -> Response {
    let name = wanted.palette.as_deref().unwrap_or("clay");
    match palette(name).await {
        Some(colours) => {
            let svg = pattern::svg(seed, wanted.size.clamp(1, 64), &colours);
            ([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response()
        }
        None => (StatusCode::NOT_FOUND, format!("no palette {name}\n")).into_response(),
    }
}

async fn file(path: PathBuf) -> Response {
    let kind = mime_guess::from_path(&path).first_or_octet_stream();
    match tokio::fs::read(&path).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, kind.to_string())], bytes).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn asset(Part(name): Part<String>) -> Response {
    match name.contains("..") {
        true => StatusCode::NOT_FOUND.into_response(),
        false => file(Path::new(STATIC).join(name)).await,
    }
}

async fn ended() {
    let mut term = signal(SignalKind::terminate()).expect("signals can be handled");
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be handled");
    tokio::select! { _ = term.recv() => (), _ = interrupt.recv() => () }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/", get(|| file(Path::new(STATIC).join("index.html"))))
        .route("/health", get(|| async { Json(serde_json::json!({"status": "ok"})) }))
        .route("/tiles/:seed", get(draw))
        .route("/static/*name", get(asset));
    let listener = tokio::net::TcpListener::bind("0.0.0.0:8000").await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(ended()).await
}
