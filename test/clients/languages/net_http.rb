# Ruby's own client, on which its SDKs stand.
require 'base64'
require 'net/http'
require 'stringio'

ENOUGH = 'Hel'
uri = URI("#{ARGV[0]}/v1/chat/completions")
HEADERS = { 'Content-Type' => 'application/json', 'Authorization' => 'Bearer sk-own' }

def ask(client, uri, how, body)
  request = Net::HTTP::Post.new(uri, HEADERS)
  if how == 'pieces'
    request['Transfer-Encoding'] = 'chunked'
    request.body_stream = StringIO.new(body)
  else
    request.body = body
  end
  said = String.new
  client.request(request) do |answer|
    answer.read_body do |piece|
      said << piece
      return [answer.code, said] if how == 'leave' && said.include?(ENOUGH)
    end
    return [answer.code, said]
  end
end

open_client = -> { Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == 'https', read_timeout: 30) }
kept = open_client.call
File.foreach(ARGV[1], chomp: true) do |line|
  name, how, body = line.split("\t")
  client = how == 'leave' ? open_client.call : kept
  status, said = ask(client, uri, how, Base64.decode64(body))
  client.finish if how == 'leave'
  puts [name, status, Base64.strict_encode64(said)].join("\t")
end
