#include "central/alerts/http_post.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>

namespace redoubt::central {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;

constexpr size_t kUrlMax = 4096;
constexpr unsigned kHttp11 = 11;

struct Url {
  enum class Scheme : uint8_t { http, https } scheme = Scheme::http;
  std::string host;  // without brackets
  std::string port;
  std::string authority;  // as the Host field has it
  std::string target;
};

Result<Url> parse_url(const std::string& text) {
  const auto bad = [&] {
    return fail(Errc::invalid_argument, "'" + text.substr(0, kUrlMax) + "' is not http://HOST:PORT/PATH or https://…");
  };
  Url url;
  std::string_view rest = text;
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kTls = "https://";
  const bool is_tls = rest.starts_with(kTls);
  if ((!is_tls && !rest.starts_with(kPlain)) || text.size() > kUrlMax) return bad();
  url.scheme = is_tls ? Url::Scheme::https : Url::Scheme::http;
  rest.remove_prefix(is_tls ? kTls.size() : kPlain.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  url.authority = std::string(rest.substr(0, slash));
  url.target = slash == rest.size() ? "/" : std::string(rest.substr(slash));
  const size_t colon = url.authority.rfind(':');
  const bool has_port = colon != std::string::npos && url.authority.find(']', colon) == std::string::npos;
  url.host = url.authority.substr(0, has_port ? colon : std::string::npos);
  url.port = has_port ? url.authority.substr(colon + 1) : (is_tls ? "443" : "80");
  if (url.host.starts_with('[') && url.host.ends_with(']')) url.host = url.host.substr(1, url.host.size() - 2);
  const bool is_port = !url.port.empty() && url.port.find_first_not_of("0123456789") == std::string::npos;
  const auto has_odd = [](const std::string& part) {
    return std::any_of(part.begin(), part.end(), [](char c) { return c <= ' ' || c == 0x7F || c == '@' || c == '#'; });
  };
  if (url.host.empty() || !is_port || has_odd(url.authority) || has_odd(url.target)) return bad();
  return url;
}

tl::unexpected<Error> failed(const std::string& what, const error_code& error) {
  if (error == beast::error::timeout) return fail(Errc::timeout, what + ": no answer in time");
  return fail(Errc::unavailable, what + ": " + error.message());
}

}  // namespace

class HttpPost::Impl {
 public:
  Impl(Url url, Options options) : url_(std::move(url)), options_(std::move(options)) {}

  Status open_tls() {
    if (url_.scheme == Url::Scheme::http) return {};
    tls_.emplace(asio::ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(tls_->native_handle(), TLS1_2_VERSION);
    tls_->set_verify_mode(asio::ssl::verify_peer);
    error_code error;
    if (options_.ca_file.empty()) {
      tls_->set_default_verify_paths(error);
    } else {
      tls_->load_verify_file(options_.ca_file, error);
    }
    if (error) return fail(Errc::io, "certificates " + options_.ca_file + ": " + error.message());
    return {};
  }

  Result<int> post(const std::string& body) {
    if (!tls_) {
      beast::tcp_stream stream(io_);
      TRY_STATUS(connect(stream));
      return exchange(stream, body);
    }
    beast::ssl_stream<beast::tcp_stream> stream(io_, *tls_);
    stream.set_verify_callback(asio::ssl::host_name_verification(url_.host));
    SSL_set_tlsext_host_name(stream.native_handle(), url_.host.c_str());
    TRY_STATUS(connect(beast::get_lowest_layer(stream)));
    const error_code error =
        finish([&](auto done) { stream.async_handshake(asio::ssl::stream_base::client, std::move(done)); });
    if (error) return failed("TLS with " + url_.authority, error);
    return exchange(stream, body);
  }

 private:
  Status connect(beast::tcp_stream& stream) {
    error_code error;
    asio::ip::tcp::resolver resolver(io_);
    const auto endpoints = resolver.resolve(url_.host, url_.port, error);
    if (error) return fail(Errc::unavailable, url_.host + ": " + error.message());
    stream.expires_after(std::chrono::milliseconds(kPostTimeMs));
    error = finish([&](auto done) { stream.async_connect(endpoints, std::move(done)); });
    if (error) return failed("connect to " + url_.authority, error);
    return {};
  }

  template <class Stream>
  Result<int> exchange(Stream& stream, const std::string& body) {
    http::request<http::string_body> request(http::verb::post, url_.target, kHttp11);
    request.set(http::field::host, url_.authority);
    request.set(http::field::content_type, options_.content_type);
    request.set(http::field::user_agent, "redoubtd/" REDOUBT_VERSION);
    request.keep_alive(false);
    request.body() = body;
    request.prepare_payload();
    beast::get_lowest_layer(stream).expires_after(std::chrono::milliseconds(kPostTimeMs));
    const error_code unsent = finish([&](auto done) { http::async_write(stream, request, std::move(done)); });
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kPostAnswerMax);
    const error_code unread = finish([&](auto done) { http::async_read(stream, buffer, parser, std::move(done)); });
    // The status is what counts, even where its body does not come.
    if (!parser.is_header_done()) return failed("post to " + url_.authority, unsent ? unsent : unread);
    return static_cast<int>(parser.get().result_int());
  }

  // Runs one operation to its end.
  template <class Start>
  error_code finish(Start start) {
    error_code result = asio::error::would_block;
    start([&result](error_code error, auto&&...) { result = error; });
    io_.restart();
    io_.run();
    return result;
  }

  const Url url_;
  const Options options_;
  asio::io_context io_;
  std::optional<asio::ssl::context> tls_;
};

Result<std::unique_ptr<HttpPost>> HttpPost::make(const Options& options) {
  TRY(Url url, parse_url(options.url));
  auto impl = std::make_unique<Impl>(std::move(url), options);
  TRY_STATUS(impl->open_tls());
  return std::unique_ptr<HttpPost>(new HttpPost(std::move(impl)));
}

Result<int> HttpPost::post(const std::string& body) {
  try {
    return impl_->post(body);
  } catch (const std::exception& error) {
    return fail(Errc::internal, error.what());
  }
}

HttpPost::HttpPost(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpPost::~HttpPost() = default;

}  // namespace redoubt::central
