// Events as a stream: ids, what was missed, bounded memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "admin/event_json.h"
#include "admin/event_stream.h"

namespace steerd::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

control::Event transition(std::uint64_t id, std::string name = "tokyo") {
    control::Event event;
    event.id = id;
    event.kind = control::EventKind::Transition;
    event.name = std::move(name);
    event.address = "192.0.2.10";
    event.from = "up";
    event.to = "down";
    event.cause = "timeout after 2s";
    return event;
}

std::string all_of(EventStream& stream, std::size_t block = 4096) {
    std::string out;
    std::string room(block, '\0');
    while (const std::size_t n = stream.read(room)) {
        out.append(room, 0, n);
    }
    return out;
}

TEST(EventJson, NamesTheEndpointAndItsState) {
    const Json json = event_json(transition(7));
    EXPECT_EQ(json.at("id"), 7);
    EXPECT_EQ(json.at("kind"), "transition");
    EXPECT_EQ(json.at("endpoint"), "tokyo");
    EXPECT_EQ(json.at("state"), "down");
    EXPECT_EQ(json.at("from"), "up");
    EXPECT_EQ(json.at("cause"), "timeout after 2s");
    control::Event order;
    order.kind = control::EventKind::OrderSet;
    order.name = "region:tokyo";
    order.to = "drain";
    order.who = "root";
    order.cause = "kernel";
    const Json ordered = event_json(order);
    EXPECT_EQ(ordered.at("region"), "tokyo");
    EXPECT_EQ(ordered.at("state"), "drain");
    EXPECT_EQ(ordered.at("reason"), "kernel");
    EXPECT_EQ(ordered.at("who"), "root");
}

TEST(EventStreams, GiveEachEventOnceWithItsId) {
    server::EventLog log;
    EventStream stream(log, {0, true, "abc"});
    EXPECT_THAT(all_of(stream), HasSubstr("retry:"));
    log.append({transition(1), transition(2)});
    const std::string text = all_of(stream);
    EXPECT_THAT(text, HasSubstr("id: abc-1\ndata: {"));
    EXPECT_THAT(text, HasSubstr("id: abc-2\ndata: {"));
    EXPECT_EQ(all_of(stream), "");
    log.append({transition(3)});
    EXPECT_THAT(all_of(stream, 7), HasSubstr("id: abc-3"));  // in small pieces, too
    EXPECT_EQ(stream.seen(), 3U);
}

TEST(EventStreams, SayHowManyWereMissed) {
    server::EventLog log(5);
    for (std::uint64_t id = 1; id <= 20; ++id) {
        log.append({transition(id)});
    }
    EventStream stream(log, {3, false, "abc"});
    const std::string text = all_of(stream);
    EXPECT_THAT(text, HasSubstr(R"("kind":"missed","count":12)"));
    EXPECT_THAT(text, Not(HasSubstr("abc-15\n")));
    EXPECT_THAT(text, HasSubstr("abc-16\n"));
    EXPECT_THAT(text, HasSubstr("abc-20\n"));
}

TEST(EventStreams, SayWhatIsNotText) {
    server::EventLog log;
    log.append({transition(1, "a\xff\nb")});
    EventStream stream(log, {0, false, "abc"});
    const std::string text = all_of(stream);
    EXPECT_EQ(text.find('\xff'), std::string::npos);
    EXPECT_EQ(text.find("\nb"), std::string::npos);
}

TEST(LastEventIds, OfAnotherProcessBeginAnew) {
    EXPECT_EQ(id_seen("abc-17", "abc"), 17U);
    EXPECT_EQ(id_seen("17", "abc"), 17U);
    EXPECT_EQ(id_seen("xyz-17", "abc"), 0U);
    EXPECT_EQ(id_seen("abc-", "abc"), 0U);
    EXPECT_EQ(id_seen("nonsense", "abc"), 0U);
    EXPECT_EQ(id_seen("abc-99999999999999999999999", "abc"), 0U);
}

TEST(EventLogs, KeepTheNewestAndFindThemByNumber) {
    server::EventLog log(3);
    EXPECT_EQ(log.last(), 0U);
    EXPECT_TRUE(log.after(0, 10).empty());
    for (std::uint64_t id = 1; id <= 7; ++id) {
        log.append({transition(id)});
    }
    const auto ids = [&](std::uint64_t after, std::size_t most) {
        std::vector<std::uint64_t> out;
        for (const auto& event : log.after(after, most)) {
            out.push_back(event->id);
        }
        return out;
    };
    EXPECT_THAT(ids(0, 10), ::testing::ElementsAre(5, 6, 7));
    EXPECT_THAT(ids(5, 10), ::testing::ElementsAre(6, 7));
    EXPECT_THAT(ids(0, 2), ::testing::ElementsAre(5, 6));
    EXPECT_TRUE(ids(7, 10).empty());
    EXPECT_TRUE(ids(1000, 10).empty());
}

}  // namespace
}  // namespace steerd::admin
