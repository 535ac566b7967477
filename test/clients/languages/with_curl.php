<?php
// PHP's curl, which Guzzle and the SDKs for PHP use; bodies over 1 MB wait for 100 Continue.

const ENOUGH = 'Hel';
$client = curl_init();
foreach (file($argv[2], FILE_IGNORE_NEW_LINES) as $line) {
    [$name, $how, $encoded] = explode("\t", $line);
    $body = base64_decode($encoded);
    $said = '';
    $options = [
        CURLOPT_URL => $argv[1] . '/v1/chat/completions',
        CURLOPT_POST => true,
        CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'Authorization: Bearer sk-own'],
        CURLOPT_ENCODING => '',
        CURLOPT_TIMEOUT => 30,
        CURLOPT_WRITEFUNCTION => function ($client, $piece) use (&$said, $how) {
            $said .= $piece;
            return $how === 'leave' && str_contains($said, ENOUGH) ? 0 : strlen($piece);
        },
    ];
    if ($how === 'pieces') {
        $at = 0;
        $options[CURLOPT_HTTPHEADER][] = 'Transfer-Encoding: chunked';
        $options[CURLOPT_READFUNCTION] = function ($client, $file, $max) use (&$at, $body) {
            $piece = substr($body, $at, min($max, 1000));
            $at += strlen($piece);
            return $piece;
        };
    } else {
        $options[CURLOPT_POSTFIELDS] = $body;
    }
    // Keeps the connection.
    curl_reset($client);
    curl_setopt_array($client, $options);
    curl_exec($client);
    echo implode("\t", [$name, curl_getinfo($client, CURLINFO_RESPONSE_CODE), base64_encode($said)]), "\n";
}
