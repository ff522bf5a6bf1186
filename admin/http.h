// A request and its response as plain values, between the HTTP library (http_server.cc alone) and
// the routes, which know nothing of it. A route may answer at once or later, from another thread:
// it is handed a Reply. Thread rule: plain values; a Reply may be called once, from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace steerd::admin {

/// Who asks. Over the Unix socket the kernel says so, and its permissions let him in.
struct Peer {
    bool local = false;   // by the Unix socket
    std::string who;      // "root", of the Unix socket's peer; else "token@127.0.0.1"
    std::string address;  // of a TCP peer, without the port
};

struct Request {
    std::string method;
    std::string path;                            // decoded
    std::map<std::string, std::string> query;    // decoded; the last of equal names
    std::map<std::string, std::string> headers;  // names in lower case; those we look at
    std::string body;
    Peer peer;

    /// Empty where it is absent.
    [[nodiscard]] std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string() : found->second;
    }

    [[nodiscard]] std::optional<std::string> asked(const std::string& name) const {
        const auto found = query.find(name);
        return found == query.end() ? std::nullopt : std::optional(found->second);
    }
};

/// Instead of a body: events with an id above `after` as they happen (Server-Sent Events).
struct FollowEvents {
    std::uint64_t after = 0;
    bool follow = true;  // false: ends when there are no more
    std::string boot;    // before the number in each id, so that ids of an earlier process differ
};

struct Response {
    int status = 200;
    std::string type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<FollowEvents> events;
    /// Makes the body on the HTTP thread, where a Reply comes from the server's loop.
    std::function<std::string()> make;
};

using Reply = std::function<void(Response)>;

/// `{"error": message}`; every refusal looks like this.
[[nodiscard]] Response failure(int status, const std::string& message);

}  // namespace steerd::admin
