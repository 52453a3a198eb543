//! Over a socket: our node and, if it is on PATH, stock redis-server, with the same blocking client. What it costs above
//! `dispatch` is the kernel's and the runtime's. Wall time: run it on a quiet machine and read the two side by side.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slotcore::resp::encode_command;

const KEYS: usize = 100_000;
const VALUE: [u8; 64] = [b'v'; 64];
const REPLY_LEN: usize = "$64\r\n".len() + VALUE.len() + "\r\n".len();

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this host");
    listener.local_addr().expect("it is bound").port()
}

fn connect(port: u16) -> TcpStream {
    let start = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => {
                stream.set_nodelay(true).expect("a TCP socket");
                return stream;
            }
            Err(error) => assert!(start.elapsed() < Duration::from_secs(20), "port {port}: {error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn options(port: u16) -> Vec<String> {
    let port = port.to_string();
    [
        "--port",
        &port,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--loglevel",
        "warning",
    ]
    .map(String::from)
    .into()
}

/// Our node on threads of this process, which it lives as long as.
fn start_slotmark() -> u16 {
    let port = free_port();
    let mut args = options(port);
    args.extend(["--slotmark-workers".into(), "1".into()]);
    std::thread::spawn(move || slotmark_server::main_from_args(args.into_iter().map(Into::into).collect()));
    port
}

struct Stock(Child);

impl Drop for Stock {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_stock() -> Option<(Stock, u16)> {
    let port = free_port();
    let child = Command::new("redis-server")
        .args(options(port))
        .stdout(Stdio::null())
        .spawn();
    match child {
        Ok(child) => Some((Stock(child), port)),
        Err(error) => {
            eprintln!("loopback: without redis-server ({error}); Debian: apt-get install redis-server");
            None
        }
    }
}

fn fill(stream: &mut TcpStream) {
    let mut requests = Vec::new();
    for key in 0..KEYS {
        encode_command(
            &mut requests,
            &[b"SET", format!("key:{key:012}").as_bytes(), &VALUE],
        );
    }
    let mut writer = stream.try_clone().expect("a socket can be cloned");
    let sender = std::thread::spawn(move || writer.write_all(&requests).expect("the server reads"));
    let mut replies = vec![0; KEYS * "+OK\r\n".len()];
    stream.read_exact(&mut replies).expect("the server answers");
    sender.join().expect("the writer ends");
}

fn loopback(c: &mut Criterion) {
    let stock = start_stock();
    let mut servers = vec![("slotmark", start_slotmark())];
    servers.extend(stock.as_ref().map(|(_, port)| ("redis-server", *port)));
    let mut group = c.benchmark_group("loopback");
    for (name, port) in servers {
        let mut stream = connect(port);
        fill(&mut stream);
        for depth in [1usize, 16, 64] {
            group.throughput(Throughput::Elements(depth as u64));
            group.bench_with_input(
                BenchmarkId::new(format!("{name}/get"), depth),
                &depth,
                |b, &depth| {
                    let mut next = 0;
                    let mut requests = Vec::new();
                    let mut replies = vec![0; REPLY_LEN * depth];
                    b.iter(|| {
                        requests.clear();
                        for _ in 0..depth {
                            next = (next + 7919) % KEYS;
                            encode_command(&mut requests, &[b"GET", format!("key:{next:012}").as_bytes()]);
                        }
                        stream.write_all(&requests).expect("the server reads");
                        stream.read_exact(&mut replies).expect("the server answers");
                    });
                    assert!(replies.starts_with(b"$64\r\nvvvv"), "a value came back");
                },
            );
        }
    }
    group.finish();
}

criterion_group!(benches, loopback);
criterion_main!(benches);
