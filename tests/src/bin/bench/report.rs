//! The figures as tables for people and as JSON for programs.

use serde_json::{Value, json};

use crate::committing::Pair;
use crate::joining::Joined;
use crate::nodes::Seen;
use crate::reading::Read;
use crate::serving::Load;

/// The committer against the bare loop.
pub(crate) fn pairs(engine: &str, pairs: &[Pair]) -> Value {
    println!(
        "\n| {engine}: commands in flight | in a batch | bare loop /s | committer /s | ratio | p50 ms | p99 ms |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    for pair in pairs {
        println!(
            "| {} | {} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} |",
            pair.in_flight,
            pair.batch,
            pair.ceiling,
            pair.committer,
            pair.committer / pair.ceiling,
            pair.times.percentile(50),
            pair.times.percentile(99)
        );
    }
    let row = |pair: &Pair| {
        json!({
            "inFlight": pair.in_flight, "commandsInABatch": pair.batch, "ceilingPerSecond": pair.ceiling,
            "committerPerSecond": pair.committer, "ratio": pair.committer / pair.ceiling,
            "p50Milliseconds": pair.times.percentile(50), "p99Milliseconds": pair.times.percentile(99),
        })
    };
    pairs.iter().map(row).collect()
}

/// The whole service over HTTP.
pub(crate) fn loads(engine: &str, loads: &[Load]) -> Value {
    println!(
        "\n| over HTTP, {engine} | connections | requests /s | p50 ms | p99 ms | read models behind, s |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for load in loads {
        println!(
            "| {} | {} | {:.0} | {:.2} | {:.2} | {:.2} |",
            load.what,
            load.connections,
            load.rate,
            load.times.percentile(50),
            load.times.percentile(99),
            load.lag.as_secs_f64()
        );
    }
    let row = |load: &Load| {
        json!({
            "what": load.what, "nodes": load.nodes, "connections": load.connections, "perSecond": load.rate,
            "p50Milliseconds": load.times.percentile(50), "p99Milliseconds": load.times.percentile(99),
            "lagSeconds": load.lag.as_secs_f64(),
        })
    };
    loads.iter().map(row).collect()
}

/// Filled folders, a column each.
pub(crate) fn reads(reads: &[Read]) -> Value {
    let line = |what: &str, value: &dyn Fn(&Read) -> String| {
        let values: Vec<String> = reads.iter().map(value).collect();
        println!("| {what} | {} |", values.join(" | "));
    };
    println!();
    line("cases", &|read| read.filled.cases.to_string());
    println!("|---|{}", "---:|".repeat(reads.len()));
    line("events", &|read| read.filled.events.to_string());
    line("replay into all read models, events/s", &|read| format!("{:.0}", read.replay));
    line("start, s", &|read| format!("{:.2}", read.start.as_secs_f64()));
    line("memory idle, MB", &|read| megabytes(read.idle));
    line("memory after all reads, MB", &|read| megabytes(read.after));
    line("log.db, MB", &|read| megabytes(read.log_bytes / 1024));
    line("read models, MB", &|read| megabytes(read.read_bytes / 1024));
    let kinds = reads.first().map_or(0, |read| read.times.len());
    for kind in 0..kinds {
        let what = reads[0].times[kind].0;
        line(&format!("{what}: p50 / p99 ms"), &|read| {
            let times = &read.times[kind].1;
            format!("{:.2} / {:.2}", times.percentile(50), times.percentile(99))
        });
    }
    let row = |read: &Read| {
        let times = read.times.iter().map(|(what, times)| {
            json!({"what": what, "p50Milliseconds": times.percentile(50), "p99Milliseconds": times.percentile(99)})
        });
        json!({
            "cases": read.filled.cases, "events": read.filled.events, "replayPerSecond": read.replay,
            "startSeconds": read.start.as_secs_f64(), "idleKilobytes": read.idle, "afterKilobytes": read.after,
            "logBytes": read.log_bytes, "readBytes": read.read_bytes, "reads": times.collect::<Value>(),
        })
    };
    reads.iter().map(row).collect()
}

/// How soon another node shows what was answered.
pub(crate) fn seen(all: &[Seen]) -> Value {
    println!("\n| created beside /s | p50 ms | p99 ms | longest ms |");
    println!("|---:|---:|---:|---:|");
    for seen in all {
        let time = |percent| seen.times.percentile(percent);
        println!("| {:.0} | {:.2} | {:.2} | {:.2} |", seen.beside, time(50), time(99), time(100));
    }
    let row = |seen: &Seen| {
        json!({
            "besidePerSecond": seen.beside, "p50Milliseconds": seen.times.percentile(50),
            "p99Milliseconds": seen.times.percentile(99), "longestMilliseconds": seen.times.percentile(100),
        })
    };
    all.iter().map(row).collect()
}

/// How long it takes a node to join.
pub(crate) fn joined(all: &[Joined]) -> Value {
    let line = |what: &str, value: &dyn Fn(&Joined) -> String| {
        let values: Vec<String> = all.iter().map(value).collect();
        println!("| {what} | {} |", values.join(" | "));
    };
    println!();
    line("PostgreSQL: cases", &|joined| joined.filled.cases.to_string());
    println!("|---|{}", "---:|".repeat(all.len()));
    line("events", &|joined| joined.filled.events.to_string());
    line("joining by replay, s", &|joined| format!("{:.2}", joined.replay.as_secs_f64()));
    line("replay into all read models, events/s", &|joined| format!("{:.0}", joined.events));
    line("joining by a copy: copying, s", &|joined| format!("{:.2}", joined.copy.as_secs_f64()));
    line("joining by a copy: start, s", &|joined| format!("{:.2}", joined.start.as_secs_f64()));
    line("database, MB", &|joined| megabytes(joined.log_bytes / 1024));
    line("read models, MB", &|joined| megabytes(joined.read_bytes / 1024));
    let row = |joined: &Joined| {
        json!({
            "cases": joined.filled.cases, "events": joined.filled.events,
            "replaySeconds": joined.replay.as_secs_f64(), "replayPerSecond": joined.events,
            "copySeconds": joined.copy.as_secs_f64(), "startSeconds": joined.start.as_secs_f64(),
            "logBytes": joined.log_bytes, "readBytes": joined.read_bytes,
        })
    };
    all.iter().map(row).collect()
}

fn megabytes(kilobytes: u64) -> String {
    format!("{}.{}", kilobytes / 1024, kilobytes % 1024 * 10 / 1024)
}
