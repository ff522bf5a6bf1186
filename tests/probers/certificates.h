// Certificates for the https tests, made by the OpenSSL library in a folder that goes away with
// them.
#pragma once

#include <filesystem>
#include <string>

struct evp_pkey_st;
struct x509_st;

namespace steerd::probers::test {

class Certificates {
  public:
    explicit Certificates(const std::string& authority = "Test CA");
    Certificates(const Certificates&) = delete;
    Certificates& operator=(const Certificates&) = delete;
    ~Certificates();

    /// A certificate of our CA with these alternative names ("DNS:www.example.com"), valid from
    /// `from_days` to `to_days` after now; returns its file.
    std::string issue(const std::string& names, int from_days, int to_days);

    [[nodiscard]] std::string ca_file() const { return (folder_ / "ca.pem").string(); }

    [[nodiscard]] std::string key_file() const { return (folder_ / "key.pem").string(); }

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  private:
    std::filesystem::path folder_;
    evp_pkey_st* key_;  // of the CA and of every certificate
    x509_st* ca_;
    int count_ = 0;
};

}  // namespace steerd::probers::test
