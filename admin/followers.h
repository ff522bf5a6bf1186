// Those who follow events, once all of the past is sent: their sockets on one thread of our own.
// Each event is turned into text once, whatever the number that is told; telling one is one send(),
// and a peer that closes is noticed at once, which the HTTP library does not do for a connection
// that it has put to sleep. What a peer does not read waits in its socket; when that is full it
// gets no more until it reads, and is let go when it does not for long.
// Knows nothing of the library: sockets come and go by take() and a callback.
// Thread rule: take() from any thread, stop() from the owner.
#pragma once

#include <sys/epoll.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "server/event_log.h"
#include "server/fd.h"

namespace steerd::admin {

class Followers {
  public:
    struct Options {
        const base::Clock& clock;
        server::EventLog& events;
        std::string boot;                                    // before the number in each id
        base::Duration patience = std::chrono::seconds(30);  // with who reads nothing
        base::Duration keep_alive = std::chrono::seconds(15);
    };

    explicit Followers(Options options);
    Followers(const Followers&) = delete;
    Followers& operator=(const Followers&) = delete;

    ~Followers() { stop(); }

    /// Sends events above `after` to `fd` until its peer goes, reads nothing for long, or this
    /// stops; then calls `over`, once, from whichever thread, after which `fd` is not touched any
    /// more. False where this has stopped: `over` is not called.
    [[nodiscard]] bool take(int fd, std::uint64_t after, std::function<void()> over);

    /// Returns when whoever had gone before is over, or after a while. For those who find no place.
    void catch_up();

    /// All are over, and nobody is taken from now on.
    void stop();

  private:
    /// Text of some events, the same for all who have seen the same.
    struct Block {
        std::string text;
        std::uint64_t last = 0;  // the id of its last event
    };

    struct Follower {
        int fd = -1;
        std::uint64_t after = 0;
        std::function<void()> over;
        std::shared_ptr<const Block> block;
        std::size_t sent = 0;  // of the block
        bool full = false;     // its socket takes nothing
        base::Mono last_sent{};
        std::size_t place = 0;  // in followers_
    };

    using BlockPointer = std::shared_ptr<const Block>;

    void run();
    void look(const std::vector<epoll_event>& ready);
    void welcome();
    void tell_all();
    void tend();
    bool advance(Follower& follower);
    bool wait_for_room(Follower& follower, bool full);
    BlockPointer block_after(std::uint64_t after);
    void let_go(Follower& follower);
    void ring();
    [[nodiscard]] int until_next();
    bool end_round();

    const Options options_;
    server::Fd epoll_;
    server::Fd bell_;
    const BlockPointer beat_;  // what keeps a quiet stream alive
    std::mutex mutex_;
    std::condition_variable caught_up_;
    std::uint64_t rounds_ = 0;  // of the thread, each a look at all sockets that say something
    std::uint64_t rounds_wanted_ = 0;  // without sleep
    std::vector<std::unique_ptr<Follower>> added_;
    bool news_ = false;
    bool stopping_ = false;
    // The thread's own from here on.
    base::Mono now_{};
    base::Mono last_news_{};
    base::Mono last_tend_{};
    bool told_late_ = false;  // news that wait for their time
    std::uint64_t newest_ = 0;
    std::map<std::uint64_t, BlockPointer> blocks_;  // by the id before; of newest_
    std::vector<std::unique_ptr<Follower>> followers_;
    std::thread thread_;
};

}  // namespace steerd::admin
