// Asks a running server over its admin HTTP: by the first Unix socket of [admin] listen in the
// configuration, or by --admin ADDRESS ("unix:PATH", "127.0.0.1:5380"). A configuration with
// mistakes is good enough to find it: what runs must be reachable while the file is being edited.
// Failures are thrown as Failure and say what to do next. Thread rule: the main thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "cli/json.h"

namespace steerd::cli {

struct AdminAnswer {
    int status = 0;
    Json json;
};

/// Nobody can be asked: no [admin] to ask at, or nobody listens there. Any other Failure may come
/// after the server has begun to act.
class NoServer : public Failure {
  public:
    using Failure::Failure;
};

class AdminClient {
  public:
    explicit AdminClient(const Args& args);

    /// Any status with a JSON body comes back. `body` empty: none.
    [[nodiscard]] AdminAnswer ask(const std::string& method, const std::string& path,
                                  const std::string& body = {}) const;
    /// The same, but every refusal is thrown.
    [[nodiscard]] Json get(const std::string& path) const;
    /// Calls `line` with each line of a stream until it ends.
    void follow(const std::string& path, const std::function<void(std::string_view)>& line) const;

    /// For a path: "region:tokyo" as it must be written there.
    [[nodiscard]] static std::string escaped(const std::string& text);

    [[nodiscard]] const std::string& address() const noexcept { return address_; }

  private:
    struct Transfer;
    int perform(Transfer& transfer) const;
    [[nodiscard]] std::string trouble(int code, long os_error) const;

    std::string address_;      // as people know it
    std::string unix_socket_;  // empty: TCP
    std::string base_;         // "http://127.0.0.1:5380"
    std::string token_;        // empty: none
};

/// The error of a refusal, for people.
[[nodiscard]] std::string error_of(const AdminAnswer& answer);

}  // namespace steerd::cli
