//! A primary that follows a script, for tests.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use slotcore::resp::{RequestLimits, RequestParser};

use super::fault::Fault;
use super::wire::Wire;

/// A line of the script.
pub enum Step {
    /// These words must come as the next command.
    Expect(&'static str),
    /// These bytes are sent.
    Say(&'static str),
}

/// Plays the script's part in what `ours` does with the connection, which the script closes at its end.
pub fn dialogue<T>(
    script: Vec<Step>,
    ours: impl AsyncFnOnce(&mut Wire) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let primary = thread::spawn(move || play(&listener, script));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let outcome = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        ours(&mut Wire::new(stream, Duration::from_secs(10))).await
    });
    primary.join().unwrap();
    outcome
}

fn play(listener: &TcpListener, script: Vec<Step>) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut buffer = Vec::new();
    for step in script {
        match step {
            Step::Say(text) => stream.write_all(text.as_bytes()).unwrap(),
            Step::Expect(words) => {
                let mut args = Vec::new();
                let mut parser = RequestParser::new();
                let end = loop {
                    match parser.parse(&mut buffer, 0, &RequestLimits::default(), &mut args) {
                        Ok(slotcore::resp::Progress::Complete { consumed }) => break consumed,
                        Ok(_) => {}
                        Err(error) => panic!("{error}"),
                    }
                    let mut chunk = [0; 4096];
                    let read = stream.read(&mut chunk).unwrap();
                    assert!(read > 0, "the replica closed before {words:?}");
                    buffer.extend_from_slice(&chunk[..read]);
                };
                let got: Vec<_> = args
                    .iter()
                    .map(|range| String::from_utf8_lossy(&buffer[range.start as usize..range.end as usize]))
                    .collect();
                assert_eq!(got.join(" "), words);
                buffer.drain(..end);
            }
        }
    }
}
