//! Against a stock redis-server: what is counted here is what the server itself has counted.
