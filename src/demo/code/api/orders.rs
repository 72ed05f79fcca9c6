//! Orders of partners.

/// What somebody bought.
#[derive(Debug)]
pub struct Order {
    pub id: u64,
    pub cents: u64,
}

/// The newest so many orders.
pub fn newest(count: u64) -> Vec<Order> {
    (1..=count).rev().map(|id| Order { id, cents: id * 1_999 }).collect()
}
