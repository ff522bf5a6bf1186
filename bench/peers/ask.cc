// The load generator: asks a server over UDP or TCP, judges every answer, and reads what CPU time
// the server's process and its children took meanwhile. Prints one JSON object.
// Without --rate it is a closed loop: so many queries are under way all the time, and the slower
// side is the limit ("idle" tells which: the share of time in which the generator found nothing to
// do). With --rate queries leave on a schedule, whatever comes back: that gives round trips.
// Deliberately not in it: names, texts, threads. Thread rule: one thread.
//   ask --port P --queries FILE [--seconds S] [--rate QPS] [--tcp] [--sockets N] [--window N]
//       [--pid PID [--threads NAME]] [--echo] [--first S]
#include <dirent.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string_view>

#include "tcp.h"
#include "udp.h"

namespace {

using namespace peers;

bool name_begins(const std::string& task, const std::string& with) {
    std::array<char, 32> name{};
    if (std::FILE* const file = std::fopen((task + "/comm").c_str(), "r")) {
        static_cast<void>(std::fgets(name.data(), name.size(), file) == nullptr);
        std::fclose(file);
    }
    return std::string_view(name.data()).starts_with(with);
}

/// CPU nanoseconds of all threads of a process and of its descendants, or only of those whose name
/// begins so.
std::uint64_t cpu_of_tree(int pid, const std::string& name = "") {
    const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
    std::uint64_t sum = 0;
    DIR* const folder = ::opendir(tasks.c_str());
    while (const dirent* const entry = folder == nullptr ? nullptr : ::readdir(folder)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        const std::string task = tasks + "/" + entry->d_name;
        unsigned long value = 0;
        const bool wanted = name.empty() || name_begins(task, name);
        std::FILE* const file = wanted ? std::fopen((task + "/schedstat").c_str(), "r") : nullptr;
        if (file != nullptr) {
            sum += std::fscanf(file, "%lu", &value) == 1 ? value : 0;
            std::fclose(file);
        }
        if (std::FILE* const children = std::fopen((task + "/children").c_str(), "r")) {
            while (std::fscanf(children, "%lu", &value) == 1) {
                sum += cpu_of_tree(static_cast<int>(value), name);
            }
            std::fclose(children);
        }
    }
    if (folder != nullptr) {
        ::closedir(folder);
    }
    return sum;
}

struct Interval {
    Nanos begin = 0;
    Nanos end = 0;
    Nanos idle = 0;
    std::uint64_t received = 0;
    std::uint64_t cpu = 0;
    std::uint64_t cpu_of_threads = 0;  // those that --threads names
};

/// Calls step(sending) until the time is over and nothing is under way; it says whether it found
/// work. CPU and answers are those of the time in which queries were sent.
Interval drive(Run& run, const std::function<bool(bool)>& step,
               const std::function<void(Nanos)>& expire) {
    Interval interval;
    const std::uint64_t before = run.options.pid != 0 ? cpu_of_tree(run.options.pid) : 0;
    const std::uint64_t threads_before =
        run.options.threads.empty() ? 0 : cpu_of_tree(run.options.pid, run.options.threads);
    interval.begin = now();
    const Nanos until = interval.begin + static_cast<Nanos>(run.options.seconds * 1e9);
    Nanos at = interval.begin;
    Nanos swept = at;
    while (at < until) {
        const bool worked = step(true);
        const Nanos next = now();
        interval.idle += worked ? 0 : next - at;
        at = next;
        if (at - swept > Window::kPatience / 8) {
            swept = at;
            expire(at);
        }
    }
    interval.end = at;
    interval.received = run.tally.received;
    interval.cpu = run.options.pid != 0 ? cpu_of_tree(run.options.pid) - before : 0;
    if (!run.options.threads.empty()) {
        interval.cpu_of_threads =
            cpu_of_tree(run.options.pid, run.options.threads) - threads_before;
    }
    while (run.tally.received + run.tally.lost < run.tally.sent &&
           now() - at < 2 * Window::kPatience) {
        step(false);
        expire(now());
    }
    return interval;
}

Interval ask_udp(Run& run) {
    std::vector<std::unique_ptr<Udp>> sockets;
    for (unsigned i = 0; i < run.options.sockets; ++i) {
        sockets.push_back(std::make_unique<Udp>(run));
    }
    std::size_t turn = 0;
    const double gap = run.options.rate > 0 ? 1e9 / run.options.rate : 0;
    auto due = static_cast<double>(now());
    const auto step = [&](bool sending) {
        Udp& socket = *sockets[turn];
        turn = turn + 1 == sockets.size() ? 0 : turn + 1;
        bool worked = socket.receive();
        if (sending && gap == 0) {
            worked = socket.refill() || worked;
        } else if (sending && static_cast<double>(now()) >= due) {
            socket.send_one();
            due += gap;
            worked = true;
        }
        return worked;
    };
    return drive(run, step, [&](Nanos at) {
        for (const auto& socket : sockets) {
            socket->window().expire(at, run.tally);
        }
    });
}

Interval ask_tcp(Run& run) {
    std::vector<std::unique_ptr<Tcp>> sockets;
    const int poll = ::epoll_create1(0);
    for (unsigned i = 0; i < run.options.sockets; ++i) {
        sockets.push_back(std::make_unique<Tcp>(run));
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = sockets.back().get();
        ::epoll_ctl(poll, EPOLL_CTL_ADD, sockets.back()->fd(), &event);
        sockets.back()->refill();
    }
    std::array<epoll_event, 64> events{};
    const auto step = [&](bool sending) {
        const int ready = ::epoll_wait(poll, events.data(), events.size(), 0);
        for (int i = 0; i < ready; ++i) {
            auto* const socket = static_cast<Tcp*>(events[i].data.ptr);
            socket->receive();
            if (sending) {
                socket->refill();
            }
        }
        return ready > 0;
    };
    const Interval interval = drive(run, step, [&](Nanos at) {
        for (const auto& socket : sockets) {
            socket->window().expire(at, run.tally);
        }
    });
    ::close(poll);
    return interval;
}

/// One query after the other until the first right answer.
int wait_for_first(Run& run) {
    const Nanos begin = now();
    const auto patience = static_cast<Nanos>(run.options.first * 1e9);
    while (now() - begin < patience) {
        run.tally = Tally{};
        run.options.window = 1;
        Udp socket(run);
        socket.send_one();
        for (const Nanos sent = now(); now() - sent < 20'000'000 && run.tally.received == 0;) {
            socket.receive();
            ::usleep(500);
        }
        if (run.tally.received == 1 && run.tally.wrong == 0) {
            std::printf("{\"seconds\": %.4f}\n", static_cast<double>(now() - begin) / 1e9);
            return 0;
        }
    }
    std::fprintf(stderr, "no right answer within %.1f s\n", run.options.first);
    return 1;
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view key = argv[i];
        if (key == "--tcp" || key == "--echo") {
            (key == "--tcp" ? options.tcp : options.echo) = true;
            continue;
        }
        if (++i == argc) {
            throw std::runtime_error("a value is missing");
        }
        const char* const value = argv[i];
        if (key == "--port") {
            options.port = std::atoi(value);
        } else if (key == "--queries") {
            options.queries = value;
        } else if (key == "--seconds") {
            options.seconds = std::atof(value);
        } else if (key == "--rate") {
            options.rate = std::atof(value);
        } else if (key == "--first") {
            options.first = std::atof(value);
        } else if (key == "--sockets") {
            options.sockets = static_cast<unsigned>(std::atoi(value));
        } else if (key == "--window") {
            options.window = static_cast<unsigned>(std::atoi(value));
        } else if (key == "--pid") {
            options.pid = std::atoi(value);
        } else if (key == "--threads") {
            options.threads = value;
        } else {
            throw std::runtime_error("unknown option " + std::string(key));
        }
    }
    if (options.queries.empty() || options.port == 0 || options.sockets == 0 ||
        options.window == 0 || options.window > 1U << Window::kSlotBits) {
        throw std::runtime_error("--port and --queries are needed; see the head of ask.cc");
    }
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const Options options = parse(argc, argv);
        const auto run = std::make_unique<Run>(Run{options, Queries(options.queries), {}});
        if (options.first > 0) {
            return wait_for_first(*run);
        }
        const Interval interval = options.tcp ? ask_tcp(*run) : ask_udp(*run);
        const Tally& tally = run->tally;
        const double seconds = static_cast<double>(interval.end - interval.begin) / 1e9;
        const auto answers = static_cast<double>(std::max<std::uint64_t>(interval.received, 1));
        std::printf(
            "{\"sent\": %lu, \"received\": %lu, \"wrong\": %lu, \"lost\": %lu, \"qps\": %.0f, "
            "\"us_per_query\": %.4f, \"us_in_threads\": %.4f, \"server_cores\": %.4f, "
            "\"generator_idle\": %.4f, "
            "\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f}\n",
            tally.sent, tally.received, tally.wrong, tally.lost, answers / seconds,
            static_cast<double>(interval.cpu) / 1e3 / answers,
            static_cast<double>(interval.cpu_of_threads) / 1e3 / answers,
            static_cast<double>(interval.cpu) / 1e9 / seconds,
            static_cast<double>(interval.idle) / 1e9 / seconds, tally.percentile(0.5),
            tally.percentile(0.99), tally.percentile(0.999), tally.percentile(0.999999));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "ask: %s\n", error.what());
        return 1;
    }
}
