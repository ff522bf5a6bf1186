// The cell that hands snapshots from control to workers, under several threads (also in the
// ThreadSanitizer build).
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "server/snapshot_cell.h"

namespace steerd::server {
namespace {

std::shared_ptr<const policy::Snapshot> snapshot_of(std::uint64_t generation) {
    auto snapshot = std::make_shared<policy::Snapshot>();
    snapshot->generation = generation;
    return snapshot;
}

TEST(SnapshotCell, AReaderSeesNothingBeforeTheFirstAndThenTheNewest) {
    SnapshotCell cell;
    SnapshotCell::Reader reader(cell);
    EXPECT_EQ(reader.refresh(), nullptr);
    cell.publish(snapshot_of(1));
    ASSERT_NE(reader.refresh(), nullptr);
    EXPECT_EQ(reader.refresh()->generation, 1U);
    cell.publish(snapshot_of(2));
    cell.publish(snapshot_of(3));
    EXPECT_EQ(reader.refresh()->generation, 3U);
}

TEST(SnapshotCell, ARetiredSnapshotLivesUntilNoReaderLooksAtIt) {
    SnapshotCell cell;
    SnapshotCell::Reader reader(cell);
    auto first = snapshot_of(1);
    const std::weak_ptr<const policy::Snapshot> watch = first;
    cell.publish(std::move(first));
    (void)reader.refresh();
    cell.publish(snapshot_of(2));
    cell.release_retired();
    EXPECT_FALSE(watch.expired());  // the reader still looks at it
    (void)reader.refresh();
    EXPECT_FALSE(
        watch.expired());  // and letting go does not free it either: that is control's work
    cell.release_retired();
    EXPECT_TRUE(watch.expired());
}

TEST(SnapshotCell, ReadersNeverGoBackWhileAWriterPublishes) {
    constexpr std::uint64_t kPublications = 2000;
    SnapshotCell cell;
    cell.publish(snapshot_of(0));
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            SnapshotCell::Reader reader(cell);
            std::uint64_t last = 0;
            while (!done.load() || last != kPublications) {
                const auto now = reader.refresh()->generation;
                wrong += now < last ? 1 : 0;
                last = now;
            }
        });
    }
    for (std::uint64_t i = 1; i <= kPublications; ++i) {
        cell.publish(snapshot_of(i));
        cell.release_retired();
    }
    done = true;
    for (auto& reader : readers) {
        reader.join();
    }
    EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace steerd::server
