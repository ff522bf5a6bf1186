// See followers.h. Thread rule: as followers.h.
#include "admin/followers.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "admin/event_stream.h"
#include "base/check.h"

namespace steerd::admin {

namespace {

/// What happens at once is told together.
constexpr base::Duration kLeastBetweenNews = std::chrono::milliseconds(50);
/// How exactly patience and keep_alive are kept.
constexpr base::Duration kTend = std::chrono::seconds(1);
constexpr std::size_t kReadyAtOnce = 2048;
constexpr base::Duration kCatchUp = std::chrono::milliseconds(100);
constexpr std::size_t kMostBlocks = 64;

}  // namespace

Followers::Followers(Options options)
    : options_(std::move(options)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      beat_(std::make_shared<const Block>(Block{":\n\n", 0})) {
    CHECK(epoll_ && bell_);
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, bell_.get(), &wanted) == 0);
    thread_ = std::thread([this] { run(); });
    options_.events.on_append([this] {
        {
            const std::lock_guard lock(mutex_);
            news_ = true;
        }
        ring();
    });
}

void Followers::ring() { (void)::eventfd_write(bell_.get(), 1); }

bool Followers::take(int fd, std::uint64_t after, std::function<void()> over) {
    auto follower = std::make_unique<Follower>();
    follower->fd = fd;
    follower->after = after;
    follower->over = std::move(over);
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) {
            return false;
        }
        added_.push_back(std::move(follower));
    }
    ring();
    return true;
}

void Followers::stop() {
    options_.events.on_append({});
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    ring();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void Followers::catch_up() {
    std::unique_lock lock(mutex_);
    const auto wanted = rounds_ + 2;  // one may be half over
    rounds_wanted_ = wanted;
    ring();
    caught_up_.wait_for(lock, kCatchUp, [&] { return rounds_ >= wanted || stopping_; });
}

/// In milliseconds, as epoll_wait() takes it.
int Followers::until_next() {
    {
        const std::lock_guard lock(mutex_);
        if (rounds_ < rounds_wanted_) {
            return 0;
        }
    }
    if (followers_.empty()) {
        return -1;
    }
    auto next = last_tend_ + kTend;
    if (told_late_) {
        next = std::min(next, last_news_ + kLeastBetweenNews);
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(next - options_.clock.now().mono);
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1000));
}

void Followers::run() {
    pthread_setname_np(pthread_self(), "steerd-events");
    std::vector<epoll_event> ready;
    bool stopping = false;
    while (!stopping) {
        ready.resize(kReadyAtOnce);
        const int n =
            ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), until_next());
        ready.resize(static_cast<std::size_t>(std::max(n, 0)));
        now_ = options_.clock.now().mono;
        look(ready);
        welcome();
        if (told_late_ && now_ - last_news_ >= kLeastBetweenNews) {
            tell_all();
        }
        if (now_ - last_tend_ >= kTend) {
            tend();
        }
        stopping = end_round();
    }
    welcome();  // who came last
    while (!followers_.empty()) {
        let_go(*followers_.back());
    }
}

/// Whether to stop.
bool Followers::end_round() {
    const std::lock_guard lock(mutex_);
    if (++rounds_ >= rounds_wanted_) {
        caught_up_.notify_all();
    }
    return stopping_;
}

/// Whose socket says something: the peer has gone, or there is room again.
void Followers::look(const std::vector<epoll_event>& ready) {
    for (const auto& one : ready) {
        if (one.data.ptr == nullptr) {
            eventfd_t rings = 0;
            (void)::eventfd_read(bell_.get(), &rings);
            continue;
        }
        auto& follower = *static_cast<Follower*>(one.data.ptr);
        if ((one.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 || !advance(follower)) {
            let_go(follower);
        }
    }
}

/// Takes in who and what came from other threads.
void Followers::welcome() {
    std::vector<std::unique_ptr<Follower>> added;
    {
        const std::lock_guard lock(mutex_);
        added = std::exchange(added_, {});
        told_late_ = std::exchange(news_, false) || told_late_;
    }
    for (auto& follower : added) {
        Follower& it = *follower;
        it.place = followers_.size();
        it.last_sent = now_;
        followers_.push_back(std::move(follower));
        // The library may have held back the end of what it sent, to fill a packet.
        const int on = 1;
        const int off = 0;
        (void)::setsockopt(it.fd, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
        (void)::setsockopt(it.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event wanted{};
        wanted.events = EPOLLRDHUP;
        wanted.data.ptr = &it;
        if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, it.fd, &wanted) != 0 || !advance(it)) {
            let_go(it);
        }
    }
}

void Followers::tell_all() {
    told_late_ = false;
    last_news_ = now_;
    // From the back: one that goes is replaced by the last, which was told already.
    for (std::size_t i = followers_.size(); i > 0; --i) {
        Follower& follower = *followers_[i - 1];
        if (!follower.full && !advance(follower)) {
            let_go(follower);
        }
    }
}

/// Lets go who reads nothing, and writes to who was told nothing for long, so that a peer that went
/// without a word is found.
void Followers::tend() {
    last_tend_ = now_;
    for (std::size_t i = followers_.size(); i > 0; --i) {
        Follower& follower = *followers_[i - 1];
        const auto since = now_ - follower.last_sent;
        if (follower.full && since >= options_.patience) {
            let_go(follower);
        } else if (!follower.full && since >= options_.keep_alive) {
            follower.block = beat_;
            if (!advance(follower)) {
                let_go(follower);
            }
        }
    }
}

Followers::BlockPointer Followers::block_after(std::uint64_t after) {
    const auto newest = options_.events.last();
    if (newest != newest_ || blocks_.size() > kMostBlocks) {
        blocks_.clear();
        newest_ = newest;
    }
    if (after >= newest) {
        return nullptr;
    }
    auto& block = blocks_[after];
    if (block == nullptr) {
        Block made;
        made.last = after;
        made.text = events_text(options_.events, options_.boot, made.last);
        block = std::make_shared<const Block>(std::move(made));
    }
    return block;
}

/// Sends what there is to send as far as there is room. False: the peer has gone.
bool Followers::advance(Follower& follower) {
    for (;;) {
        if (follower.block == nullptr) {
            follower.block = block_after(follower.after);
            if (follower.block == nullptr) {
                return wait_for_room(follower, false);
            }
        }
        const auto& text = follower.block->text;
        const auto n = ::send(follower.fd, text.data() + follower.sent, text.size() - follower.sent,
                              MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return (errno == EAGAIN || errno == EWOULDBLOCK) && wait_for_room(follower, true);
        }
        follower.sent += static_cast<std::size_t>(n);
        follower.last_sent = now_;
        if (follower.sent == text.size()) {
            follower.after = std::max(follower.after, follower.block->last);
            follower.block.reset();
            follower.sent = 0;
        }
    }
}

/// False where the kernel refuses.
bool Followers::wait_for_room(Follower& follower, bool full) {
    if (follower.full == full) {
        return true;
    }
    follower.full = full;
    epoll_event wanted{};
    wanted.events = EPOLLRDHUP | (full ? EPOLLOUT : 0U);
    wanted.data.ptr = &follower;
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, follower.fd, &wanted) == 0;
}

void Followers::let_go(Follower& follower) {
    (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, follower.fd, nullptr);
    const auto over = std::move(follower.over);
    const auto place = follower.place;
    std::swap(followers_[place], followers_.back());
    followers_[place]->place = place;
    followers_.pop_back();
    over();
}

}  // namespace steerd::admin
