#include <gtest/gtest.h>

#include "health/orders.h"
#include "health/probe_spec.h"

namespace steerd::health {
namespace {

using std::chrono::minutes;

base::Wall wall(int minute) { return base::Wall{minutes(minute)}; }

TEST(Orders, AnEndpointsOwnOrderBeatsItsRegions) {
    OrderBook book;
    book.set("region:japan", {OrderState::Drain, "move", "root", wall(0), std::nullopt});
    ASSERT_NE(book.effective("tokyo", "japan"), nullptr);
    EXPECT_EQ(book.effective("tokyo", "japan")->state, OrderState::Drain);
    book.set("tokyo", {OrderState::Up, "keep", "root", wall(0), std::nullopt});
    EXPECT_EQ(book.effective("tokyo", "japan")->state, OrderState::Up);
    EXPECT_EQ(book.effective("osaka", "japan")->state, OrderState::Drain);
    EXPECT_EQ(book.effective("paris", "france"), nullptr);
    EXPECT_EQ(book.effective("sorry", ""), nullptr);
    EXPECT_TRUE(book.release("tokyo"));
    EXPECT_FALSE(book.release("tokyo"));
    EXPECT_EQ(book.effective("tokyo", "japan")->state, OrderState::Drain);
}

TEST(Orders, EndOnTime) {
    OrderBook book;
    EXPECT_FALSE(book.next_expiry());
    book.set("a", {OrderState::Drain, "", "", wall(0), wall(30)});
    book.set("b", {OrderState::Drain, "", "", wall(0), wall(10)});
    book.set("c", {OrderState::Drain, "", "", wall(0), std::nullopt});
    EXPECT_EQ(book.next_expiry(), wall(10));
    EXPECT_TRUE(book.expire(wall(10) - base::Duration(1)).empty());
    const auto over = book.expire(wall(10));
    ASSERT_EQ(over.size(), 1U);
    EXPECT_EQ(over[0].name, "b");
    EXPECT_EQ(book.next_expiry(), wall(30));
    EXPECT_EQ(book.expire(wall(40)).size(), 1U);
    EXPECT_FALSE(book.next_expiry());
    EXPECT_NE(book.find("c"), nullptr);
}

TEST(Words, EveryWordReadsBackAsItsValue) {
    for (const Health health : {Health::Up, Health::Unknown, Health::Degraded, Health::Down}) {
        EXPECT_EQ(parse_health(to_text(health)), health);
    }
    for (const OrderState state : {OrderState::Drain, OrderState::Up, OrderState::Down}) {
        EXPECT_EQ(parse_order_state(to_text(state)), state);
    }
    for (const ProbeType type :
         {ProbeType::Http, ProbeType::Https, ProbeType::Tcp, ProbeType::Dns, ProbeType::Exec}) {
        EXPECT_EQ(parse_probe_type(to_text(type)), type);
    }
    EXPECT_FALSE(parse_health("UP"));
    EXPECT_FALSE(parse_order_state(""));
    EXPECT_FALSE(parse_probe_type("icmp"));
}

TEST(Fingerprint, ChangesWithWhatIsAskedAndNotWithTiming) {
    const ProbeSpec base_spec;
    const std::uint64_t print = target_fingerprint(base_spec);
    ProbeSpec timing = base_spec;
    timing.name = "other";
    timing.interval = minutes(1);
    timing.timeout = minutes(1);
    timing.fast_interval = minutes(1);
    timing.fall = 9;
    timing.rise = 9;
    timing.slow_after = minutes(1);
    EXPECT_EQ(target_fingerprint(timing), print);
    const auto differs = [&](auto change) {
        ProbeSpec spec = base_spec;
        change(spec);
        return target_fingerprint(spec) != print;
    };
    EXPECT_TRUE(differs([](ProbeSpec& s) { s.type = ProbeType::Tcp; }));
    EXPECT_TRUE(differs([](ProbeSpec& s) { s.port = 81; }));
    EXPECT_TRUE(differs([](ProbeSpec& s) { s.path = "/x"; }));
    EXPECT_TRUE(differs([](ProbeSpec& s) { s.host = "x"; }));
    EXPECT_TRUE(differs([](ProbeSpec& s) { s.expect_status = {{200, 299}}; }));
    EXPECT_TRUE(differs([](ProbeSpec& s) { s.expect_body = "ok"; }));
    EXPECT_TRUE(differs([](ProbeSpec& s) { s.verify = false; }));
    EXPECT_TRUE(differs([](ProbeSpec& s) { s.ca_file = "ca"; }));
    EXPECT_TRUE(differs([](ProbeSpec& s) { s.query_name = "x."; }));
    EXPECT_TRUE(differs([](ProbeSpec& s) { s.query_type = 1; }));
    EXPECT_TRUE(differs([](ProbeSpec& s) { s.command = {"a", "b"}; }));
}

}  // namespace
}  // namespace steerd::health
