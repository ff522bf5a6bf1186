// What probing costs: ENDPOINTS loopback addresses, each checked every INTERVAL seconds, for
// SECONDS, over http or https (certificate verified), against a server in a process of its own.
// Prints CPU per check and latencies of the prober's process alone. Usage: probe_load http|https
// [ENDPOINTS=10000] [INTERVAL=10] [SECONDS=20]
#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "health/probers/prober_pool.h"

namespace {

using namespace steerd;

constexpr int kServerThreads = 8;
constexpr auto kTick = std::chrono::milliseconds(10);
constexpr char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct Load {
    bool tls = false;
    std::size_t endpoints = 10000;
    double interval_s = 10;
    double seconds = 20;
    std::string certificate;  // and its key, in one file
};

int listen_anywhere(std::uint16_t& port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in in{};
    in.sin_family = AF_INET;
    socklen_t size = sizeof in;
    auto* address = reinterpret_cast<sockaddr*>(&in);
    if (fd < 0 || ::bind(fd, address, size) != 0 || ::listen(fd, 4096) != 0 ||
        ::getsockname(fd, address, &size) != 0) {
        std::perror("listen");
        std::exit(1);
    }
    port = ntohs(in.sin_port);
    return fd;
}

void answer(int fd, SSL_CTX* context) {
    char buffer[2048];
    if (context == nullptr) {
        if (::recv(fd, buffer, sizeof buffer, 0) > 0) {
            ::send(fd, kAnswer, sizeof kAnswer - 1, MSG_NOSIGNAL);
        }
        return;
    }
    SSL* tls = SSL_new(context);
    SSL_set_fd(tls, fd);
    if (SSL_accept(tls) == 1 && SSL_read(tls, buffer, sizeof buffer) > 0) {
        SSL_write(tls, kAnswer, sizeof kAnswer - 1);
        SSL_shutdown(tls);
    }
    SSL_free(tls);
}

[[noreturn]] void serve(int listening, const Load& load) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGPIPE, SIG_IGN);
    SSL_CTX* context = nullptr;
    if (load.tls) {
        context = SSL_CTX_new(TLS_server_method());
        SSL_CTX_use_certificate_chain_file(context, load.certificate.c_str());
        SSL_CTX_use_PrivateKey_file(context, load.certificate.c_str(), SSL_FILETYPE_PEM);
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < kServerThreads; ++i) {
        threads.emplace_back([listening, context] {
            while (true) {
                const int fd = ::accept(listening, nullptr, nullptr);
                if (fd >= 0) {
                    answer(fd, context);
                    ::close(fd);
                }
            }
        });
    }
    threads.front().join();
    std::exit(0);
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Results {
    std::mutex mutex;
    std::map<std::string, std::size_t> verdicts;
    std::vector<double> latencies_ms;

    void take(const std::vector<health::CheckDone>& batch) {
        const std::lock_guard lock(mutex);
        for (const auto& done : batch) {
            const auto outcome = health::to_text(done.verdict.outcome);
            ++verdicts[fmt::format("{}: {}", outcome, done.verdict.reason)];
            latencies_ms.push_back(static_cast<double>(done.verdict.latency.count()) * 1e-6);
        }
    }
};

void run(const Load& load, std::uint16_t port) {
    const auto spec = std::make_shared<health::ProbeSpec>([&] {
        health::ProbeSpec out;
        out.type = load.tls ? health::ProbeType::Https : health::ProbeType::Http;
        out.port = port;
        out.host = "bench.example.com";
        out.ca_file = load.certificate;
        return out;
    }());
    const base::RealClock clock;
    Results results;
    probers::ProberPool pool(
        {}, clock, [&](std::vector<health::CheckDone> batch) { results.take(batch); },
        [](const std::vector<probers::ResolveDone>&) {});
    const double per_second = static_cast<double>(load.endpoints) / load.interval_s;
    const auto begin = std::chrono::steady_clock::now();
    const double cpu_before = cpu_seconds();
    std::size_t started = 0;
    for (auto next = begin; next < begin + std::chrono::duration<double>(load.seconds);
         next += kTick) {
        std::this_thread::sleep_until(next);
        const std::chrono::duration<double> gone = next + kTick - begin;
        std::vector<health::StartCheck> checks;
        for (; static_cast<double>(started) < gone.count() * per_second; ++started) {
            const auto endpoint = static_cast<std::uint32_t>(started % load.endpoints);
            checks.push_back({static_cast<health::CheckId>(endpoint), started,
                              base::IpAddress::v4(0x7F010001 + endpoint), spec});
        }
        pool.start(std::move(checks));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));  // past every deadline
    const double cpu = cpu_seconds() - cpu_before;
    const std::lock_guard lock(results.mutex);
    auto& ms = results.latencies_ms;
    std::sort(ms.begin(), ms.end());
    const auto rank = [&](double share) {
        return ms.empty()
                   ? 0
                   : ms[static_cast<std::size_t>(share * static_cast<double>(ms.size() - 1))];
    };
    fmt::print("{} checks of {} in {} s: {:.3f} s CPU, {:.1f} us each, {:.1f} % of one core\n",
               ms.size(), load.tls ? "https" : "http", load.seconds, cpu,
               cpu * 1e6 / static_cast<double>(std::max<std::size_t>(ms.size(), 1)),
               cpu * 100 / load.seconds);
    fmt::print("latency ms: p50 {:.2f}  p99 {:.2f}  max {:.2f}\n", rank(0.5), rank(0.99), rank(1));
    for (const auto& [verdict, count] : results.verdicts) {
        fmt::print("{:8} {}\n", count, verdict);
    }
}

}  // namespace

int main(int argc, char** argv) {
    Load load;
    const std::string kind = argc > 1 ? argv[1] : "";
    if (kind != "http" && kind != "https") {
        fmt::print(stderr, "usage: probe_load http|https [ENDPOINTS] [INTERVAL_S] [SECONDS]\n");
        return 2;
    }
    load.tls = kind == "https";
    load.endpoints = argc > 2 ? static_cast<std::size_t>(std::atol(argv[2])) : load.endpoints;
    load.interval_s = argc > 3 ? std::atof(argv[3]) : load.interval_s;
    load.seconds = argc > 4 ? std::atof(argv[4]) : load.seconds;
    char file[] = "/tmp/probe-load-XXXXXX";
    ::close(::mkstemp(file));
    load.certificate = file;
    const std::string make_certificate = fmt::format(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=bench -addext subjectAltName=DNS:bench.example.com "
        "-keyout {0}.key -out {0} 2>/dev/null && cat {0}.key >> {0} && rm {0}.key",
        file);
    int status = load.tls ? std::system(make_certificate.c_str()) : 0;
    if (status == 0) {
        std::uint16_t port = 0;
        const int listening = listen_anywhere(port);
        const pid_t server = ::fork();
        if (server == 0) {
            serve(listening, load);
        }
        ::close(listening);
        run(load, port);
        ::kill(server, SIGKILL);
        ::waitpid(server, nullptr, 0);
    }
    ::unlink(file);
    return status == 0 ? 0 : 1;
}
