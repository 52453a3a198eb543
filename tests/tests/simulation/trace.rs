//! What happened, as text for whoever replays a seed, and as a hash that tells whether two runs were the same.

pub struct Trace {
    pub hash: u64,
    /// Print it.
    pub shown: bool,
    /// Print every message as well.
    pub verbose: bool,
    pub steps: u64,
}

impl Trace {
    pub fn new(shown: bool) -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            shown,
            verbose: shown && std::env::var_os("SLOTMARK_SIM_MESSAGES").is_some(),
            steps: 0,
        }
    }

    /// FNV-1a, a word at a time.
    pub fn add(&mut self, word: u64) {
        self.hash = (self.hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    }

    pub fn add_text(&mut self, text: &str) {
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.add(u64::from_le_bytes(word));
        }
    }
}
