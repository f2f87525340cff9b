//! What every [`StateStore`] has to hold, whatever is behind it. Run over each of them: `tests/it/state.rs` and `tests/aws/state.rs`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use trailhound::alerting::{Item, Key, MAX_ITEM_BYTES, Stretch};
use trailhound::ports::{MAX_LISTED_BYTES, StateError, StateStore};

/// A store, and names that nobody else uses in it.
pub(crate) struct Subject<S> {
    pub(crate) store: Arc<S>,
    prefix: String,
}

/// Runs everything. The store may hold other things.
pub(crate) async fn holds_every_promise<S: StateStore + 'static>(store: Arc<S>) {
    let subject = |name: &str| Subject { store: Arc::clone(&store), prefix: name.to_owned() };
    subject("get").what_was_put_is_there_and_nothing_else().await;
    subject("again").putting_the_same_again_changes_nothing().await;
    subject("swap").a_swap_wants_the_revision_that_is_there().await;
    subject("race").of_many_that_write_first_one_does().await;
    subject("count").nobody_overwrites_what_he_has_not_read().await;
    subject("expiry").what_is_past_its_time_is_as_good_as_gone().await;
    subject("many").more_than_fits_into_a_request().await;
    subject("list").a_stretch_has_both_ends_and_an_order().await;
    subject("long").a_long_stretch_is_read_to_its_end().await;
    subject("cut").of_a_stretch_without_end_the_highest_are_read().await;
    subject("size").what_is_too_large_is_refused_as_a_whole().await;
    subject("page").every_item_is_on_one_page().await;
    subject("remove").what_is_removed_is_gone().await;
}

fn now() -> Timestamp {
    "2026-11-05T10:00:00Z".parse().unwrap()
}

fn in_hours(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

impl<S: StateStore + 'static> Subject<S> {
    fn key(&self, partition: &str, sort: &str) -> Key {
        Key { partition: format!("{}#{partition}", self.prefix), sort: sort.to_owned() }
    }

    fn item(&self, partition: &str, sort: &str, value: &str) -> Item {
        Item { key: self.key(partition, sort), revision: 0, expires: in_hours(1), value: value.to_owned() }
    }

    fn stretch(&self, partition: &str, from: &str, to: &str) -> Stretch {
        Stretch { partition: self.key(partition, "").partition, from: from.to_owned(), to: to.to_owned() }
    }

    async fn value(&self, key: &Key) -> Option<(u64, String)> {
        let items = self.store.get(std::slice::from_ref(key), now()).await.unwrap();
        items.get(key).map(|item| (item.revision, item.value.clone()))
    }

    async fn listed(&self, partition: &str, from: &str, to: &str) -> Vec<String> {
        let listed = self.store.list(&[self.stretch(partition, from, to)], now()).await.unwrap();
        assert!(!listed[0].is_cut);
        listed[0].items.iter().map(|item| item.key.sort.clone()).collect()
    }

    async fn what_was_put_is_there_and_nothing_else(&self) {
        let odd = "{\"a\":\"\u{202e}🦊 \\u0000 'quoted'\"}";
        let (one, two) = (self.item("a", "-", odd), self.item("b", "-", ""));
        self.store.put(&[one.clone(), two.clone()]).await.unwrap();
        let keys = [one.key.clone(), self.key("c", "-"), two.key.clone(), self.key("a", "x")];
        let items = self.store.get(&keys, now()).await.unwrap();
        assert_eq!(items.len(), 2);
        assert_eq!(items[&one.key], Item { revision: 1, ..one });
        assert_eq!(items[&two.key].value, "");
        assert!(self.store.get(&[], now()).await.unwrap().is_empty());
    }

    async fn putting_the_same_again_changes_nothing(&self) {
        let item = self.item("a", "-", "same");
        for _ in 0..3 {
            self.store.put(std::slice::from_ref(&item)).await.unwrap();
        }
        assert_eq!(self.value(&item.key).await, Some((1, "same".to_owned())));
        assert_eq!(self.listed("a", "-", "-").await, ["-"]);
    }

    async fn a_swap_wants_the_revision_that_is_there(&self) {
        let with = |revision, value: &str| Item { revision, ..self.item("a", "-", value) };
        let swap = async |item: Item| self.store.swap(&[item], now()).await.unwrap()[0];
        assert!(!swap(with(1, "nothing is there yet")).await);
        assert!(swap(with(0, "one")).await);
        assert!(!swap(with(0, "one again")).await);
        assert!(!swap(with(2, "from the future")).await);
        assert!(swap(with(1, "two")).await);
        assert!(!swap(with(1, "late")).await);
        assert_eq!(self.value(&self.key("a", "-")).await, Some((2, "two".to_owned())));
        let several = [self.item("b", "-", "b"), with(1, "late"), with(2, "three"), self.item("c", "-", "c")];
        assert_eq!(self.store.swap(&several, now()).await.unwrap(), [true, false, true, true]);
        assert_eq!(self.value(&self.key("a", "-")).await, Some((3, "three".to_owned())));
    }

    async fn of_many_that_write_first_one_does(&self) {
        for round in 0..5 {
            let writers = (0..20).map(|writer| {
                let (store, item) = (Arc::clone(&self.store), self.item(&round.to_string(), "-", &writer.to_string()));
                tokio::spawn(async move { (store.swap(&[item], now()).await.unwrap()[0], writer) })
            });
            let mut winners = Vec::new();
            for writer in writers.collect::<Vec<_>>() {
                let (won, writer) = writer.await.unwrap();
                winners.extend(won.then_some(writer.to_string()));
            }
            assert_eq!(winners.len(), 1, "{winners:?}");
            assert_eq!(self.value(&self.key(&round.to_string(), "-")).await, Some((1, winners.remove(0))));
        }
    }

    async fn nobody_overwrites_what_he_has_not_read(&self) {
        let key = self.key("sum", "-");
        let writers = (0..8).map(|_| {
            let (store, key) = (Arc::clone(&self.store), key.clone());
            tokio::spawn(async move {
                for _ in 0..5 {
                    while !add_one(&*store, &key).await {}
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        assert_eq!(self.value(&key).await, Some((40, "40".to_owned())));
    }

    async fn what_is_past_its_time_is_as_good_as_gone(&self) {
        let item = self.item("a", "-", "old");
        assert!(self.store.swap(std::slice::from_ref(&item), now()).await.unwrap()[0]);
        let before = in_hours(1) - SignedDuration::from_secs(1);
        assert_eq!(self.store.get(std::slice::from_ref(&item.key), before).await.unwrap().len(), 1);
        assert!(!self.store.swap(std::slice::from_ref(&item), before).await.unwrap()[0]);
        let after = in_hours(1);
        assert!(self.store.get(std::slice::from_ref(&item.key), after).await.unwrap().is_empty());
        assert!(self.store.list(&[self.stretch("a", "-", "-")], after).await.unwrap()[0].items.is_empty());
        let next = Item { revision: 1, expires: in_hours(2), value: "over it".to_owned(), ..item.clone() };
        assert!(!self.store.swap(std::slice::from_ref(&next), after).await.unwrap()[0], "nothing is there to be at 1");
        let anew = Item { revision: 0, value: "new".to_owned(), ..next };
        assert!(self.store.swap(std::slice::from_ref(&anew), after).await.unwrap()[0]);
        let items = self.store.get(std::slice::from_ref(&item.key), after).await.unwrap();
        assert_eq!((items[&item.key].revision, items[&item.key].value.as_str()), (1, "new"));
    }

    async fn more_than_fits_into_a_request(&self) {
        let items: Vec<Item> = (0..230).map(|n| self.item(&n.to_string(), "-", &format!("value {n}"))).collect();
        let keys: Vec<Key> = items.iter().map(|item| item.key.clone()).collect();
        self.store.put(&items[..115]).await.unwrap();
        let written = self.store.swap(&items[100..], now()).await.unwrap();
        assert_eq!(written, (100..230).map(|n| n >= 115).collect::<Vec<_>>());
        let found = self.store.get(&keys, now()).await.unwrap();
        assert_eq!(found.len(), items.len());
        assert!(items.iter().all(|item| found[&item.key].value == item.value));
    }

    async fn a_stretch_has_both_ends_and_an_order(&self) {
        let sorts = ["5#b", "1", "3", "5#a", "2", "9", "5"];
        let items: Vec<Item> = sorts.iter().map(|sort| self.item("a", sort, "x")).collect();
        self.store.put(&items).await.unwrap();
        self.store.put(&[self.item("b", "4", "another partition")]).await.unwrap();
        assert_eq!(self.listed("a", "2", "5").await, ["2", "3", "5"]);
        assert_eq!(self.listed("a", "2", "5~").await, ["2", "3", "5", "5#a", "5#b"]);
        assert_eq!(self.listed("a", "6", "8").await, [""; 0]);
        let stretches = [self.stretch("b", "0", "~"), self.stretch("none", "0", "~"), self.stretch("a", "9", "9")];
        let listed = self.store.list(&stretches, now()).await.unwrap();
        assert_eq!(listed.iter().map(|one| one.items.len()).collect::<Vec<_>>(), [1, 0, 1]);
    }

    async fn a_long_stretch_is_read_to_its_end(&self) {
        let value = "x".repeat(100_000);
        let items: Vec<Item> = (0..25).map(|n| self.item("a", &format!("{n:02}"), &value)).collect();
        for items in items.chunks(5) {
            self.store.put(items).await.unwrap();
        }
        let expected: Vec<String> = (0..25).map(|n| format!("{n:02}")).collect();
        assert_eq!(self.listed("a", "00", "~").await, expected);
    }

    async fn of_a_stretch_without_end_the_highest_are_read(&self) {
        let value = "x".repeat(300_000);
        for n in 0..25 {
            self.store.put(&[self.item("a", &format!("{n:02}"), &value)]).await.unwrap();
        }
        let listed = self.store.list(&[self.stretch("a", "00", "~")], now()).await.unwrap().remove(0);
        assert!(listed.is_cut);
        let sorts: Vec<&str> = listed.items.iter().map(|item| item.key.sort.as_str()).collect();
        let expected: Vec<String> = (25 - sorts.len()..25).map(|n| format!("{n:02}")).collect();
        assert_eq!(sorts, expected);
        assert!(sorts.len() * value.len() > MAX_LISTED_BYTES);
    }

    async fn what_is_too_large_is_refused_as_a_whole(&self) {
        let fits = self.item("fits", "-", "");
        let fits = Item { value: "x".repeat(MAX_ITEM_BYTES - fits.bytes()), ..fits };
        self.store.put(std::slice::from_ref(&fits)).await.unwrap();
        assert_eq!(self.value(&fits.key).await.map(|(_, value)| value.len()), Some(fits.value.len()));
        let large = Item { value: "x".repeat(MAX_ITEM_BYTES), ..self.item("large", "-", "") };
        let both = [self.item("small", "-", "x"), large.clone()];
        for result in [self.store.put(&both).await.err(), self.store.swap(&both, now()).await.err()] {
            assert!(matches!(result, Some(StateError::TooLarge { key, .. }) if key == large.key));
        }
        assert_eq!(self.value(&self.key("small", "-")).await, None);
    }

    async fn every_item_is_on_one_page(&self) {
        let items: Vec<Item> = (0..2_100).map(|n| self.item(&n.to_string(), "-", &"x".repeat(1_000))).collect();
        let past = Item { expires: in_hours(-1), ..self.item("past", "-", "x") };
        self.store.put(&[items.as_slice(), &[past]].concat()).await.unwrap();
        let mut found: Vec<Key> = Vec::new();
        let mut pages = 0;
        let mut after = None;
        loop {
            let page = self.store.page(after.as_ref(), now()).await.unwrap();
            pages += 1;
            let own = page.items.into_iter().map(|item| item.key);
            found.extend(own.filter(|key| key.partition.starts_with("page#")));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert!(pages > 1);
        found.sort();
        let mut expected: Vec<Key> = items.into_iter().map(|item| item.key).collect();
        expected.sort();
        assert_eq!(found, expected);
    }

    async fn what_is_removed_is_gone(&self) {
        let items: Vec<Item> = (0..30).map(|n| self.item("a", &format!("{n:02}"), "x")).collect();
        self.store.put(&items).await.unwrap();
        let keys: Vec<Key> = items.iter().take(28).map(|item| item.key.clone()).collect();
        for _ in 0..2 {
            self.store.remove(&keys).await.unwrap();
            assert_eq!(self.listed("a", "0", "~").await, ["28", "29"]);
        }
        assert!(self.store.swap(&items[..1], now()).await.unwrap()[0], "one begins anew");
    }
}

/// Reads, adds one and writes; whether nobody was faster.
async fn add_one(store: &impl StateStore, key: &Key) -> bool {
    let there = store.get(std::slice::from_ref(key), now()).await.unwrap();
    let (revision, sum) = there.get(key).map_or((0, 0), |item| (item.revision, item.value.parse::<u64>().unwrap()));
    let item = Item { key: key.clone(), revision, expires: in_hours(1), value: (sum + 1).to_string() };
    store.swap(&[item], now()).await.unwrap()[0]
}
